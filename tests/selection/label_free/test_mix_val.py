"""Mixed samples as probes."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from regraft.domain import Domain
from regraft.problem import Problem
from regraft.seeds import seed_of
from regraft.selection.label_free import MixVal


class Threshold:
    """A model that says b from a place on."""

    def __init__(self, place):
        self.place = place

    def logits(self, x):
        above = (x.double().flatten(1)[:, 0] - self.place)[:, None]
        return torch.cat([-above, above], 1)


def told(trial, x, place, **given):
    model, target = Threshold(place), Domain(x)
    return trial(
        of_target=(50 * model.logits(x)).log_softmax(1),
        problem=Problem(target=target),
        fitted=SimpleNamespace(target=model),
        **given,
    )


def test_it_is_the_mean_of_both_parts(trial):
    x = torch.randn(40, 1, generator=torch.Generator().manual_seed(0))
    order = torch.randperm(40, generator=torch.Generator().manual_seed(seed_of(5, "mixtures"))).tolist()
    alike, apart = [], []
    for place, i in enumerate(order):
        a, b = float(x[i]), float(x[order[place - 1]])
        kept = (0.55 * a + 0.45 * b > 0.3) == (a > 0.3)
        (alike if (a > 0.3) == (b > 0.3) else apart).append(kept)
    one = told(trial, x, 0.3, seed=5)
    assert MixVal()(one) == pytest.approx((np.mean(alike) + np.mean(apart)) / 2)


def test_a_boundary_between_the_clusters_is_better_than_one_beside(trial):
    x = torch.cat([torch.zeros(20, 1), torch.ones(20, 1)])
    x = x + 0.05 * torch.randn(40, 1, generator=torch.Generator().manual_seed(0))
    between, beside = (MixVal()(told(trial, x, place)) for place in (0.5, 0.05))
    assert between > 0.9
    assert beside < 0.8


def test_one_class_for_everything_passes_one_part_of_two(trial):
    assert MixVal()(told(trial, torch.rand(30, 1), -9.0)) == 0.5


def test_colours_are_mixed_as_colours(trial):
    x = torch.arange(0, 240, 12, dtype=torch.uint8).view(20, 1, 1, 1)
    assert np.isfinite(MixVal()(told(trial, x, 100.0)))


@pytest.mark.parametrize("x", [torch.arange(20)[:, None], torch.rand(1, 1)])
def test_what_cannot_be_mixed_is_not_judged(trial, x):
    assert np.isnan(MixVal()(told(trial, x, 0.5)))
