"""Affine maps, and heads behind them."""

import torch

from regraft.backbones import vectors
from regraft.heads import Kernel, Linear, Mapped
from regraft.heads.affine import Affine
from regraft.methods.alignment.coral import CORAL
from regraft.model_folder import load


def some_map():
    luck = torch.Generator().manual_seed(0)
    return Affine(*(torch.randn(*size, generator=luck).double() for size in ((3, 5), (3,))))


def test_of_a_linear_head_a_linear_one():
    first, z = some_map(), torch.randn(7, 5)
    head = Linear.of(torch.randn(2, 3).double(), torch.randn(2).double())
    folded = first.then(head)
    assert isinstance(folded, Linear)
    torch.testing.assert_close(folded(z), head(first(z)))


def test_of_another_head_that_head_behind_the_map():
    first, z = some_map(), torch.randn(7, 5)
    head = Kernel(samples=4, features=3, classes=2)
    head.weight.normal_()
    folded = first.then(head)
    assert isinstance(folded, Mapped)
    torch.testing.assert_close(folded(z), head(first(z)))


def test_a_model_with_a_map_before_its_head_is_saved(away, tmp_path):
    model = CORAL(learner="kernel").fit(away, vectors())
    again = load(model.save(tmp_path / "m"))
    assert isinstance(again.head, Mapped)
    assert torch.equal(again.logits(away.target), model.logits(away.target))
