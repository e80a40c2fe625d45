"""Adapting to a target without labels, or refusing to."""

import json

import pytest
import torch

import regraft as rg
from regraft.errors import InputError
from regraft.model_folder import load
from regraft.selection.label_free import LABEL_FREE


def crowds(n, seed, share=None):
    """Three classes in 30 columns, of which some of the third may be missing."""
    luck = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 3
    x = 5 * torch.eye(3, 30)[y] + torch.randn(n, 30, generator=luck)
    if share is not None:
        kept = (y != 2) | (torch.rand(n, generator=luck) < share)
        x, y = x[kept], y[kept]
    return rg.Domain(x, [f"class {c}" for c in y.tolist()])


def right(study, target):
    return (study.model.logits(target).argmax(1) == target.y).double().mean().item()


@pytest.fixture(scope="module")
def elsewhere():
    """A source, and a target of other scales; both labelled."""
    target = crowds(150, 2)
    return crowds(150, 1), target.with_(x=target.x * torch.linspace(0.3, 3, 30) + 4)


@pytest.fixture(scope="module")
def adapted(elsewhere):
    source, target = elsewhere
    return rg.adapt(rg.Problem(source=source, target=target.unlabelled()))


def test_adapts_where_it_helps(adapted, elsewhere):
    assert adapted.decision.adapts
    assert right(adapted, elsewhere[1]) > 0.97
    assert "Verdict: Adapt: " in str(adapted)
    assert "labelling" in str(adapted) or "alike" in str(adapted)


def test_refuses_where_no_shift_can_be_told():
    source, target = crowds(150, 1), crowds(150, 3)
    study = rg.adapt(rg.Problem(source=source, target=target.unlabelled()))
    assert not study.decision.adapts
    assert study.handed_over.candidate.method == rg.METHODS["SourceOnly"](learner="ridge")
    assert "Keep the source model" in str(study)


def test_moved_proportions_block_maps():
    source, target = crowds(300, 1), crowds(300, 3, share=0.2)
    study = rg.adapt(rg.Problem(source=source, target=target.unlabelled()))
    assert study.shift.kind in ("proportions", "none")
    assert study.handed_over.candidate.method.family() in ("label shift", "baselines")


def test_every_candidate_has_every_score(adapted):
    for row in adapted.rows:
        assert set(row.scores) == {judge.name for judge in LABEL_FREE}
        assert all(score == score for score in row.scores.values())


def test_labels_of_the_target_change_no_bit(elsewhere):
    source, target = elsewhere
    told = []
    for labels in (target.y, target.y.flip(0)):
        study = rg.adapt(rg.Problem(source=source, target=target.with_(y=labels).unlabelled()))
        told.append(
            (study.model.logits(target), json.dumps([row.scores for row in study.rows]), study.sentence())
        )
    assert torch.equal(told[0][0], told[1][0])
    assert told[0][1:] == told[1][1:]


def test_few_labels_of_the_target_judge(elsewhere):
    source, target = elsewhere
    few = rg.Domain(target.x[:40], [target.output.names[c] for c in target.y[:40].tolist()])
    study = rg.adapt(rg.Problem(source=source, target=target[40:].unlabelled(), target_labelled=few))
    assert "40 labelled samples" in study.judge
    gains = [row.gain for row in study.rows[1:]]
    assert all(gain is not None for gain in gains)
    assert study.decision.adapts == any(gain.low > 0 for gain in gains)


def test_survives_saving_and_remembers(adapted, elsewhere, tmp_path):
    folder = adapted.save(tmp_path / "model", report=True)
    again = load(folder)
    assert torch.equal(again.logits(elsewhere[1]), adapted.model.logits(elsewhere[1]))
    study = json.loads((folder / "study.json").read_text())
    assert study["decision"]["sentence"] == adapted.sentence()
    assert len(study["settling"]["samples"]) == len(adapted.settling.rows)
    assert adapted.sentence()[:30] in (folder / "report.html").read_text()


def test_a_test_set_gives_one_last_number(elsewhere):
    source, target = elsewhere
    study = rg.adapt(rg.Problem(source=source, target=target.unlabelled()), methods=["CORAL"])
    assert study.read_test(target).value("accuracy") == pytest.approx(right(study, target))


def test_what_cannot_be_tried_is_said(elsewhere):
    source, target = elsewhere
    with pytest.raises(InputError, match="no target"):
        rg.adapt(rg.Problem(source=source))
    study = rg.adapt(rg.Problem(source=source, target=target.unlabelled()), methods=["CORAL", "Joint"])
    assert dict(study.left_out)["Joint (columns)"].startswith("it needs")


def test_classes_of_the_labelled_target_are_the_sources(elsewhere):
    source, target = elsewhere
    odd = rg.Domain(target.x[:4], ["owl", "crow"] * 2)
    with pytest.raises(InputError, match=r"owl|crow"):
        rg.adapt(rg.Problem(source=source, target=target.unlabelled(), target_labelled=odd))
