"""The model that is left of a source, as it is."""

from dataclasses import replace

import pytest
import torch

import regraft as rg
from regraft.backbones import small_mlp
from regraft.errors import InputError
from regraft.methods.baselines.source_model_only import SourceModelOnly
from regraft.methods.features.linear_probe import LinearProbe
from regraft.methods.fine_tuning.fine_tune import FineTune


def test_it_is_the_model_to_the_bit_and_as_sure(problem, away, network):
    model = rg.compare(problem, ["LinearProbe"], backbone=network).model
    given = rg.Problem(source_model=model, target=away.target)
    kept = SourceModelOnly().fit(given, model.backbone)
    ours, theirs = kept.answers(away.target.x), model.answers(away.target.x)
    assert torch.equal(kept.logits(away.target.x), model.logits(away.target.x))
    assert (ours.label, ours.accepted.tolist()) == (theirs.label, theirs.accepted.tolist())


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_behind_a_cut_the_model_is_cut_too(away, stage):
    model = FineTune(least_steps=5, epochs=1).fit(rg.Problem(target_labelled=away.source), small_mlp(20))
    prefix, suffix = model.backbone.cut(stage)
    seen = prefix.features(away.target.x)
    given = rg.Problem(source_model=model.from_stage(stage), target=rg.Domain(seen))
    behind = SourceModelOnly().fit(given, suffix)
    torch.testing.assert_close(behind.logits(seen), model.logits(away.target.x))


def test_another_network_or_no_model_is_said(away, network):
    model = LinearProbe().fit(rg.Problem(target_labelled=away.source), network)
    given = rg.Problem(source_model=model, target=away.target)
    with pytest.raises(InputError, match=r"not its network: give source_model\.backbone"):
        SourceModelOnly().fit(given, small_mlp(20))
    with pytest.raises(InputError, match="source_model is Linear: give a Model"):
        SourceModelOnly().fit(replace(given, source_model=torch.nn.Linear(1, 2)), network)
