import torch

from regraft.domain import Domain
from regraft.shift.labels import label_shift
from regraft.terms.label_shift import em_priors


def classes(counts, seed, moved=0.0):
    luck = torch.Generator().manual_seed(seed)
    y = torch.cat([torch.full((n,), c) for c, n in enumerate(counts)])
    x = torch.randn(len(y), 2, generator=luck).double()
    x[:, 0] += 2.0 * (y == 1)
    x[:, 1] += 2.0 * (y == 2) + moved
    return Domain(x, [("crow", "owl", "wren")[c] for c in y.tolist()])


def test_the_shares_are_those_of_the_highest_likelihood():
    log_p = torch.tensor([[0.7, 0.3], [0.2, 0.8], [0.6, 0.4], [0.9, 0.1]]).double().log()
    priors = torch.tensor([0.4, 0.6]).double()
    grid = torch.linspace(0.001, 0.999, 999, dtype=torch.float64)
    odds = log_p.exp() / priors
    likelihood = (grid[:, None] * odds[:, 0] + (1 - grid[:, None]) * odds[:, 1]).log().sum(1)
    assert abs(float(em_priors(log_p, priors)[0]) - float(grid[likelihood.argmax()])) < 2e-3


def test_shares_of_a_target_with_other_frequencies():
    found = label_shift(classes((80, 80, 80), 0), classes((20, 60, 120), 1).unlabelled(), seed=0)
    for interval, true in zip(found.target, (0.1, 0.3, 0.6), strict=True):
        assert interval.low - 0.05 < true < interval.high + 0.05
    assert not found.doubtful
    assert "If field differed" in found.sentence("lab", "field")
    assert abs(sum(interval.value for interval in found.target) - 1) < 1e-6


def test_where_more_differs_than_frequencies_no_share_is_told():
    found = label_shift(classes((60, 60, 60), 0), classes((60, 60, 60), 1, moved=4.0).unlabelled(), seed=0)
    assert found.doubtful
    assert "cannot be told" in found.sentence("lab", "field")


def test_one_class_tells_no_shares():
    assert label_shift(classes((30, 0, 0), 0), classes((20, 20, 20), 1).unlabelled(), seed=0) is None
