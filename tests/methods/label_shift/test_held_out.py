"""What a learner says of the source's samples that it has not seen."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from regraft.domain import Domain
from regraft.methods.features.linear_probe import LinearProbe
from regraft.methods.features.ridge_probe import RidgeProbe
from regraft.methods.label_shift.held_out import class_shares, held_out_by
from regraft.training import Training


@pytest.fixture
def source():
    luck = torch.Generator().manual_seed(0)
    y = torch.arange(60) % 3
    x = torch.nn.functional.one_hot(y, 3) + 0.6 * torch.randn(60, 3, generator=luck).double()
    return Domain(x, y)


def test_every_sample_is_judged_once_by_a_head_of_the_others(source):
    found = held_out_by(RidgeProbe(), source, 4, Training())
    assert sorted(found.rows.tolist()) == list(range(60))
    assert len(found.heads) == 4
    first = found.rows[:15]
    rest = torch.tensor([i for i in range(60) if i not in first.tolist()])
    alone = RidgeProbe().head(source[rest], Training())
    assert torch.allclose(found.logits[:15], alone(source.x[first]), atol=1e-8)


def test_says_what_cross_validation_elsewhere_says(source):
    """scikit-learn's logistic regression without the samples that it judges agrees on nearly all of them."""
    found = held_out_by(LinearProbe(), source, 5, Training())
    x, y = source.x.numpy(), source.labels.numpy()
    agree = 0
    for part in np.array_split(np.arange(60), 5):
        rows = found.rows[torch.from_numpy(part)].numpy()
        kept = np.setdiff1d(np.arange(60), rows)
        said = LogisticRegression().fit(x[kept], y[kept]).predict(x[rows])
        agree += int((found.logits[torch.from_numpy(part)].argmax(1).numpy() == said).sum())
    assert agree >= 54


def test_copies_are_on_one_side(source):
    twice = source[torch.arange(60).repeat(2)].with_(group=torch.arange(60).repeat(2))
    found = held_out_by(RidgeProbe(), twice, 4, Training())
    where = {}
    start = 0
    for fold, size in enumerate([len(found.rows) // 4] * 4):
        for row in found.rows[start : start + size].tolist():
            assert where.setdefault(row % 60, fold) == fold
        start += size


def test_of_one_sample_a_class_nobody_can_judge():
    found = held_out_by(RidgeProbe(), Domain(torch.eye(3), ["a", "b", "c"]), 4, Training())
    assert (len(found.rows), found.logits.shape, found.heads) == (0, (0, 3), [])


def test_class_shares_count_weights(source):
    y = source.labels
    weight = torch.where(y == 0, 2.0, 1.0)
    assert class_shares(source.with_(weight=weight)).tolist() == pytest.approx([0.5, 0.25, 0.25])
    counts = np.bincount(y.numpy()) + 1
    assert class_shares(source, more=1).tolist() == pytest.approx((counts / counts.sum()).tolist())
