"""The source's classifier as it is."""

import torch

from regraft.backbones import vectors
from regraft.methods.baselines.source_only import SourceOnly
from regraft.methods.features.linear_probe import LinearProbe
from regraft.problem import Problem


def test_is_the_probe_of_the_source(away):
    alone = LinearProbe(cautious=True).fit(Problem(target_labelled=away.source), vectors())
    model = SourceOnly().fit(away, vectors())
    torch.testing.assert_close(model.logits(away.target), alone.logits(away.target), atol=1e-6, rtol=0)


def test_never_looks_at_the_target(away):
    other = Problem(source=away.source, target=away.target.with_(x=away.target.x * 9))
    first, second = (SourceOnly().fit(p, vectors()).logits(away.target) for p in (away, other))
    assert torch.equal(first, second)
