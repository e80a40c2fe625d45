"""A network trained on the source."""

import torch

from regraft.backbones import small_mlp
from regraft.methods.baselines.source_tuned import SourceTuned
from regraft.problem import Problem


def test_never_looks_at_the_target(away):
    other = Problem(source=away.source, target=away.target.with_(x=away.target.x * 9))
    recipe = SourceTuned(epochs=1, least_steps=12)
    first, second = (recipe.fit(p, small_mlp(20)).logits(away.target) for p in (away, other))
    assert torch.equal(first, second)
