"""What is far from all others."""

import torch

from regraft.doctor import examine
from regraft.doctor.outliers import far_off
from regraft.domain import Domain


def test_the_odd_ones_are_found_and_few_others():
    x = torch.randn(500, 8)
    x[:3] += 20 * torch.eye(8)[:3]
    far = far_off(x)
    assert far[:3].all()
    assert far[3:].sum() <= 5


def test_blocks_change_nothing(monkeypatch):
    x = torch.randn(100, 3)
    whole = far_off(x)
    monkeypatch.setattr("regraft.doctor.outliers.AT_ONCE", 700)
    assert torch.equal(far_off(x), whole)


def test_the_distance_is_that_to_the_fifth_of_the_others():
    """Nine of a kind are each other's neighbours, five are not."""
    x = torch.randn(300, 4)
    for many, found in ((9, False), (5, True)):
        here = torch.cat([x, 50 + 0.01 * torch.randn(many, 4)])
        assert bool(far_off(here)[300:].all()) is found


def test_of_very_many_some_stand_for_all(monkeypatch):
    monkeypatch.setattr("regraft.doctor.outliers.COMPARED", 100)
    x = torch.randn(500, 8)
    x[:3] += 20 * torch.eye(8)[:3]
    far = far_off(x)
    assert far[:3].all()
    assert far[3:].sum() <= 5


def test_the_scale_of_a_column_does_not_matter():
    x = torch.randn(60, 3)
    x[0] = 9
    scale = torch.tensor([1.0, 1000.0, 0.001])
    found = [[f.samples for f in examine({"a": Domain(x * s)}).findings] for s in (1, scale)]
    assert found[0] == found[1]
    assert [s.row for s in found[0][0][0]] == [0]


def test_constant_columns_and_nan_are_no_reason_to_stop():
    assert not examine(
        {"a": Domain(torch.ones(30, 2) * torch.arange(30.0)[:, None] * torch.tensor([1.0, 0]))}
    ).urgent
    examine({"a": Domain(torch.full((30, 2), float("nan")))})
