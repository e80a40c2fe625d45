"""How many clusters are found again."""

import numpy as np
import torch

from regraft.terms.prediction_strength import prediction_strength, weakest


def test_the_weakest_is_counted_by_pairs():
    luck = np.random.default_rng(0)
    own, theirs = luck.integers(3, size=40), luck.integers(4, size=40)
    shares = []
    for c in range(3):
        mine = np.flatnonzero(own == c)
        together = [theirs[i] == theirs[j] for i in mine for j in mine if i != j]
        shares.append(np.mean(together))
    np.testing.assert_allclose(weakest(torch.from_numpy(own), torch.from_numpy(theirs)), min(shares))


def test_it_is_high_up_to_the_number_there_is_and_low_beyond():
    luck = torch.Generator().manual_seed(0)
    z = 8 * torch.eye(4)[torch.arange(120) % 4] + torch.randn(120, 4, generator=luck)
    assert prediction_strength(z, 4, seed=0) > 0.9
    assert prediction_strength(z, 6, seed=0) < 0.7


def test_a_cloud_has_no_clusters():
    z = torch.randn(150, 6, generator=torch.Generator().manual_seed(0))
    assert max(prediction_strength(z, k, seed=0) for k in (3, 4, 5)) < 0.7


def test_what_is_alone_or_the_same_is_not_found_again():
    assert max(prediction_strength(torch.eye(30), k, seed=0) for k in (2, 3, 4)) < 0.8
    assert prediction_strength(torch.ones(40, 2), 2, seed=0) == 0
