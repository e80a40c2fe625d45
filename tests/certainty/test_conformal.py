import math

import pytest
import torch

from regraft.certainty import conformal_quantile, coverage_band


@pytest.mark.parametrize(("n", "alpha"), [(19, 0.1), (50, 0.1), (40, 0.05)])
def test_a_new_score_is_below_as_often_as_promised(n, alpha):
    generator = torch.Generator().manual_seed(0)
    scores = torch.rand(4000, n + 1, generator=generator)
    below = [float(s[-1]) <= conformal_quantile(s[:-1], alpha) for s in scores]
    rank = math.ceil((n + 1) * (1 - alpha))
    assert sum(below) / 4000 == pytest.approx(rank / (n + 1), abs=0.015)


def test_too_few_scores_rule_nothing_out():
    assert conformal_quantile(torch.zeros(8), 0.1) == math.inf
    assert conformal_quantile(torch.zeros(9), 0.1) == 0.0
    assert coverage_band(8, 0.1) == (1.0, 1.0)


def test_the_band_holds_nine_of_ten_coverages():
    """Uniform scores: what a quantile q covers is q itself."""
    generator = torch.Generator().manual_seed(1)
    low, high = coverage_band(30, 0.1)
    inside = [
        low <= conformal_quantile(torch.rand(30, generator=generator), 0.1) <= high for _ in range(2000)
    ]
    assert sum(inside) / 2000 == pytest.approx(0.9, abs=0.025)
