import numpy as np
import pytest
import torch

from regraft.certainty import Novelty
from regraft.domain import Domain
from regraft.folds import complement, stratified_folds


def blobs(n=60, d=16, seed=0):
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 3
    centres = 6 * torch.eye(3, d)
    return Domain(centres[y] + torch.randn(n, d, generator=generator), [str(c) for c in y.tolist()])


def placed(z, seen, directions):
    u = z - seen.mean(0)
    return u / u.norm(dim=1, keepdim=True) if directions else u / seen.std(0, correction=0)


@pytest.mark.parametrize("directions", [True, False])
def test_it_is_the_distance_to_the_nearest_class_mean_in_units_of_the_left_out_ones(directions):
    seen = blobs()
    z, y = seen.x.double(), seen.labels
    left_out = []
    for rows in stratified_folds(seen, 10, 0):
        kept = complement(rows, 60)
        u, old, fewer = placed(z, z[kept], directions), y[kept], torch.bincount(y[kept])
        means = [u[kept][old == c].mean(0) for c in range(3)]
        for i in rows.tolist():
            distances = [float((u[i] - mean).norm()) for mean in means]
            own = int(y[i])  # of 20 in the class; E‖u − p‖² is σ² (1 + 1/m) for a mean of m
            distances[own] *= np.sqrt((1 + 1 / 20) / (1 + 1 / int(fewer[own])))
            left_out.append(min(distances))
    usual = sorted(left_out)[58 - 1]  # ⌈61 · 0.95⌉ = 58
    u = placed(z, z, directions)
    means = torch.stack([u[y == c].mean(0) for c in range(3)])
    expected = torch.cdist(u, means).min(1).values / usual
    torch.testing.assert_close(Novelty.of(seen, directions)(seen.x).double(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("n", "d", "directions"), [(40, 300, False), (100, 300, False), (60, 300, True)])
def test_about_one_in_twenty_also_with_more_columns_than_samples(n, d, directions):
    rates = []
    for seed in range(20):
        novelty = Novelty.of(blobs(n, d, seed=seed), directions)
        rates.append(float((novelty(blobs(300, d, seed=100 + seed).x) > 1).double().mean()))
    assert 0.01 < sum(rates) / 20 < 0.07


def test_one_in_twenty_of_the_same_kind_is_called_novel():
    rates = []
    for seed in range(20):
        novelty = Novelty.of(blobs(60, seed=seed), directions=False)
        rates.append(float((novelty(blobs(300, seed=100 + seed).x) > 1).double().mean()))
    assert 0.01 < sum(rates) / 20 < 0.07


@pytest.mark.parametrize("directions", [True, False])
def test_another_class_is_novel(directions):
    seen = blobs()
    other = torch.zeros(50, 16)
    other[:, 9] = 8.0
    assert float((Novelty.of(seen, directions)(other + torch.randn(50, 16)) > 1).double().mean()) > 0.9


def test_a_class_of_one_is_compared_with_the_others():
    """Alone it would be at no distance from its own mean, and everything else infinitely novel."""
    few = Domain([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], ["a", "b", "c"])
    assert bool((Novelty.of(few, directions=False)(few.x) <= 1).all())
    assert float(Novelty.of(few, directions=False)(torch.tensor([[0.5, 0.5]]))) < 2


def test_columns_that_never_vary_do_no_harm():
    x = torch.cat([torch.randn(20, 2), torch.ones(20, 1)], dim=1)
    novelty = Novelty.of(Domain(x, ["a", "b"] * 10), directions=False)
    assert bool(novelty(x).isfinite().all())
