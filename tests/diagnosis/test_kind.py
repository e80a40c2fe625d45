"""What kind of shift there is."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from regraft.diagnosis import kind_of_shift
from regraft.diagnosis.hypotheses import moved_proportions
from regraft.diagnosis.importance import least_squares_ratio
from regraft.domain import Domain


@pytest.mark.parametrize("kind", ["none", "mapping", "proportions"])
@pytest.mark.parametrize("seed", [1, 2])
def test_tells_the_kind(domains, kind, seed):
    source, target = domains(kind, seed=seed)
    assert kind_of_shift(source, target).kind == kind


def test_a_part_of_a_domain_is_uneven_sampling():
    luck = torch.Generator().manual_seed(0)
    corners = torch.tensor([[0.0, 0.0], [0.0, 4.0], [4.0, 0.0], [4.0, 4.0]])
    x = (corners.repeat(400, 1) + 0.6 * torch.randn(1600, 2, generator=luck)).double()
    source = Domain(x[:800], ((x[:800, 0] > 2) ^ (x[:800, 1] > 2)).long().tolist())
    shares = torch.where(x[800:, 0] > 2, torch.where(x[800:, 1] > 2, 0.1, 0.9), 0.4)
    found = kind_of_shift(source, x[800:][torch.rand(800, generator=luck) < shares])
    assert found.kind in ("sampling", "proportions")
    assert found.blocks("reweighting") == ""
    assert 0.1 < found.effective < 1


def test_moved_proportions_block_whatever_maps_and_are_told(domains):
    source, target = domains("proportions")
    found = kind_of_shift(source, target)
    assert found.blocks("alignment").startswith("the proportions of the classes moved")
    assert found.blocks("label shift") == ""
    torch.testing.assert_close(found.moved, torch.tensor([1.0, 4.0, 4.0]).double() / 9, atol=0.05, rtol=0)


def test_what_nothing_simple_explains_is_left_open(domains):
    luck = torch.Generator().manual_seed(0)
    source, target = domains("mapping")
    wide = 0.1 * torch.randn(len(source) + len(target), 12, generator=luck).double()
    bent = target + 3 * torch.sin(target[:, [1, 2, 3, 0]]) * torch.rand(len(target), 1, generator=luck)
    source = source.with_(x=torch.cat([source.x, wide[: len(source)]], 1))
    found = kind_of_shift(source, torch.cat([bent, wide[len(source) :]], 1))
    assert found.kind == "unknown"
    assert found.right == frozenset()
    assert found.blocks("reweighting")


def test_two_drawings_of_one_law_are_hardly_ever_told_apart(domains):
    told = [kind_of_shift(*domains("none", n=40, seed=seed)).kind for seed in range(20)]
    assert told.count("none") >= 19


def test_labels_are_only_those_of_the_source_and_order_is_nothing(domains):
    source, target = domains("mapping")
    again = kind_of_shift(source, target)
    assert kind_of_shift(source, target).to_json() == again.to_json()


def test_proportions_minimise_what_they_say():
    luck = torch.Generator().manual_seed(3)
    y = torch.arange(90) % 3
    f_s = torch.randn(90, 5, generator=luck).double() + torch.nn.functional.one_hot(y, 5)
    f_t = f_s[(y != 1)] + 0.1 * torch.randn(60, 5, generator=luck).double()
    q, ratio = moved_proportions(f_s, y, f_t, 3)
    means = np.stack([f_s[y == c].mean(0).numpy() for c in range(3)])
    values, vectors = np.linalg.eigh(np.cov(f_t.T.numpy()))
    metric = vectors / np.sqrt(values + 1e-3 * values.max())

    def cost(free):
        p = np.append(free, 1 - free.sum())
        return np.square((p @ means - f_t.mean(0).numpy()) @ metric).sum()

    least = {"type": "ineq", "fun": lambda p: 1 - p.sum()}
    best = minimize(cost, [1 / 3, 1 / 3], bounds=[(0, 1)] * 2, constraints=least)
    assert cost(q[:2].numpy()) == pytest.approx(best.fun, abs=1e-3)
    torch.testing.assert_close(ratio, 3 * q)


def test_density_ratios_against_two_gaussians():
    luck = torch.Generator().manual_seed(0)
    source = torch.randn(1500, 1, generator=luck).double()
    target = 0.6 * torch.randn(1500, 1, generator=luck).double() + 0.5
    ratio = least_squares_ratio(source, target, seed=0)
    x = source[:, 0]
    true = (-0.5 * ((x - 0.5) / 0.6) ** 2 + 0.5 * x**2).exp() / 0.6
    middle = (x > -0.5) & (x < 1.5)
    assert (ratio - true)[middle].abs().mean() < 0.2
