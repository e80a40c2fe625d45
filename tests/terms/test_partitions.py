"""What two sortings have in common."""

import numpy as np
import pytest
import torch
from sklearn.metrics import adjusted_mutual_info_score

from regraft.terms.partitions import adjusted_mutual_information, expected_information


@pytest.mark.parametrize("seed", range(5))
def test_it_is_that_of_scikit_learn(seed):
    luck = torch.Generator().manual_seed(seed)
    a, noise = torch.randint(4, (60,), generator=luck), torch.randint(6, (60,), generator=luck)
    b = torch.where(torch.rand(60, generator=luck) < seed / 5, a, noise)
    assert adjusted_mutual_information(a, b) == pytest.approx(adjusted_mutual_info_score(a, b))


@pytest.mark.parametrize(
    ("a", "b"),
    [([0, 0, 0], [1, 1, 1]), ([0, 1, 2], [0, 0, 0]), ([0, 1, 2], [2, 0, 1]), ([3, 7, 7], [0, 1, 0])],
)
def test_at_the_ends_too(a, b):
    ours = adjusted_mutual_information(torch.tensor(a), torch.tensor(b))
    assert ours == pytest.approx(adjusted_mutual_info_score(a, b))


def test_what_is_expected_is_the_mean_over_dealings():
    rng = np.random.default_rng(0)
    a, b = np.repeat([0, 1, 2], [5, 3, 4]), np.repeat([0, 1], [7, 5])
    drawn = []
    for _ in range(4000):
        joint = np.histogram2d(rng.permutation(a), b, bins=(3, 2))[0] / 12
        alone = joint.sum(1, keepdims=True) * joint.sum(0)
        drawn.append((joint[joint > 0] * np.log((joint / alone)[joint > 0])).sum())
    found = expected_information(torch.tensor([5, 3, 4]), torch.tensor([7, 5]))
    assert found == pytest.approx(np.mean(drawn), rel=0.05)
