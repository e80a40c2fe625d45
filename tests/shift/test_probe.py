import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from regraft import Domain
from regraft.shift.probe import evenly, linear, probed


def two_heaps(n: int, apart: float, seed: int = 0) -> Domain:
    luck = torch.Generator().manual_seed(seed)
    side = torch.arange(n) % 2
    x = torch.randn(n, 3, generator=luck) + apart * side[:, None]
    return Domain(x, side)


def test_every_sample_is_scored_by_the_regression_that_has_not_seen_it():
    labelled = two_heaps(60, 1.0)
    told = probed(labelled, seed=0)
    assert sorted(torch.cat(told.folds).tolist()) == list(range(60))
    for rows, fit in zip(told.folds, told.fits, strict=True):
        torch.testing.assert_close(told.scores[rows], linear(fit, labelled.x[rows].double()))
    assert told.judged.all()
    assert told.overlap == 1 / 4


def test_a_fold_is_independent_of_the_labels_that_it_holds_out():
    labelled = two_heaps(60, 1.0)
    told = probed(labelled, seed=0)
    rows = told.folds[0]
    others = torch.ones(60, dtype=torch.bool)
    others[rows] = False
    z = labelled.x.double()
    again = LogisticRegression(C=1e-3, tol=1e-8).fit(z[others].numpy(), labelled.labels[others].numpy())
    ours = linear(told.fits[0], z[rows])
    ours = ours[:, 1] - ours[:, 0]
    # another strength, the same samples: nearly the same direction
    theirs = again.decision_function(z[rows].numpy())
    assert np.corrcoef(ours.numpy(), theirs)[0, 1] > 0.95


def test_groups_are_held_out_whole():
    labelled = two_heaps(60, 1.0)
    grouped = Domain(labelled.x, labelled.labels, group=torch.arange(60) // 4)
    fold = probed(grouped, seed=0).fold
    assert all(len(fold[grouped.group == g].unique()) == 1 for g in range(15))


def test_noise_is_told_no_better_than_by_chance():
    right = []
    for seed in range(10):
        noise = two_heaps(60, 0.0, seed)
        right.append(float((probed(noise, seed=seed).scores.argmax(1) == noise.labels).double().mean()))
    assert abs(np.mean(right) - 0.5) < 0.08


def test_all_sides_weigh_the_same():
    side = torch.tensor([0] * 7 + [2] * 3)
    weight = evenly(side)
    assert float(weight.mean()) == 1
    torch.testing.assert_close(weight[side == 0].sum(), weight[side == 2].sum())
