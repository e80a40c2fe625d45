"""Agreement of what is told with the clusters of the features."""

import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score

from regraft.selection.label_free import ClassAMI


@pytest.fixture
def blobs():
    """Three clusters, and which is which."""
    luck = torch.Generator().manual_seed(0)
    y = torch.arange(90) % 3
    return 4 * torch.eye(3, 5)[y] + 0.5 * torch.randn(90, 5, generator=luck), y


def test_it_is_that_of_scikit_learn(trial, sure, blobs):
    x, y = blobs
    said = torch.where(torch.arange(90) < 30, torch.zeros_like(y), y)
    clusters = KMeans(3, n_init=5, random_state=0).fit_predict(x.numpy())
    score = ClassAMI()(trial(of_target=sure(said, 3), features=x))
    assert score == pytest.approx(adjusted_mutual_info_score(said.numpy(), clusters))
    assert 0.2 < score < 0.9


def test_names_do_not_matter_and_one_class_for_everything_is_worth_nothing(trial, sure, blobs):
    x, y = blobs
    assert ClassAMI()(trial(of_target=sure((y + 1) % 3, 3), features=x)) == pytest.approx(1)
    assert ClassAMI()(trial(of_target=sure(0 * y, 3), features=x)) == 0


def test_of_many_samples_some_are_drawn(trial, sure, blobs):
    x, y = blobs
    assert ClassAMI(most=40)(trial(of_target=sure(y, 3), features=x)) == pytest.approx(1)
