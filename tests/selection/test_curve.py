import numpy as np
import pytest
import torch

from regraft.domain import Domain
from regraft.problem import Problem
from regraft.selection import compare
from regraft.selection.curve import power_law


def birds(n, apart=1.2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 2
    x = torch.randn(n, 20, generator=generator)
    x[:, :4] += apart * y[:, None]
    return Domain(x, [["owl", "crow"][c] for c in y])


@pytest.mark.parametrize("c", [0.25, 0.5, 1.0])
def test_a_law_is_found_again(c):
    sizes = np.array([20.0, 40.0, 80.0, 128.0])
    scores = 0.9 - 0.8 * sizes**-c
    expected = 0.8 * (160**-c - 180**-c)
    assert power_law(sizes, scores).gain(160, 180) == pytest.approx(expected, rel=1e-6)


def test_scores_that_fall_promise_nothing():
    assert power_law(np.array([10.0, 20.0, 40.0]), np.array([0.9, 0.85, 0.8])).gain(50, 70) == 0.0


def test_the_curve_is_what_fits_to_so_many_samples_score():
    """Against models of as many labels, tested on thousands of fresh samples."""
    study = compare(Problem(target_labelled=birds(160)))
    fresh = birds(4000, seed=9)
    method, backbone = study.handed_over.candidate.method, study.handed_over.candidate.backbone
    assert [p.samples for p in study.curve.points] == [20, 40, 80, 128]
    for point in study.curve.points[:3]:
        right = []
        for seed in range(10):
            few = Problem(target_labelled=birds(point.samples, seed=100 + seed))
            said = method.fit(few, backbone).predict(fresh.x)
            right.append(np.mean([a == b for a, b in zip(said, fresh.classes.decode(fresh.y), strict=True)]))
        assert point.score.value == pytest.approx(np.mean(right), abs=0.07)
    assert study.curve.points[-1].score.value == study.handed_over.scores.value("accuracy")


@pytest.mark.slow
def test_the_next_labels_buy_about_what_they_buy():
    promised, bought = [], []
    fresh = birds(4000, seed=9)
    for seed in range(6):
        whole = birds(70, seed=seed)
        study = compare(Problem(target_labelled=whole[torch.arange(50)]))
        promised.append(study.curve.next.gain.value)
        scores = [
            study.handed_over.candidate.method.fit(
                Problem(target_labelled=some), study.handed_over.candidate.backbone
            ).predict(fresh.x)
            for some in (whole[torch.arange(50)], whole)
        ]
        few, more = (
            np.mean([a == b for a, b in zip(said, fresh.classes.decode(fresh.y), strict=True)])
            for said in scores
        )
        bought.append(more - few)
    assert all(p >= 0 for p in promised)
    assert np.mean(promised) == pytest.approx(np.mean(bought), abs=0.025)


def test_few_labels_have_no_curve():
    study = compare(Problem(target_labelled=birds(6)))
    assert study.curve is None
    assert study.to_json()["curve"] is None


def test_it_is_told_and_saved():
    study = compare(Problem(target_labelled=birds(64)))
    told = study.to_json()["curve"]
    assert [p["samples"] for p in told["points"]] == [p.samples for p in study.curve.points]
    assert "20 more would likely add" in str(study.curve)


def test_what_was_never_tested_is_not_taken_for_wrong():
    """A class in two groups of many: some parts have it only on the side that is learned from."""
    luck = torch.Generator().manual_seed(0)
    y = torch.arange(228) % 2
    y[:12] = 2
    x = torch.randn(228, 8, generator=luck) + 12 * torch.nn.functional.one_hot(y, 8)
    group = torch.arange(228) + 2
    group[:12] = torch.arange(12) // 6
    seen = Domain(x, [["owl", "crow", "emu"][c] for c in y], group=[str(g) for g in group.tolist()])
    curve = compare(Problem(target_labelled=seen), ["NearestMean"]).curve
    assert [p.score.value for p in curve.points] == pytest.approx([1.0] * len(curve.points))
    assert curve.next is None or curve.next.gain.value == pytest.approx(0.0)
