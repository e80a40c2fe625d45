import pytest
import torch

from regraft.domain import Domain
from regraft.errors import InputError
from regraft.terms.risk import risk


def test_is_the_weighted_mean_of_the_losses():
    logits = torch.tensor([[2.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    d = Domain(torch.zeros(3, 1), ["a", "b", "a"])
    losses = -logits.log_softmax(1)[torch.arange(3), torch.tensor([0, 1, 0])]
    torch.testing.assert_close(risk(logits, d), losses.mean())
    weight = torch.tensor([3.0, 0.0, 1.0])
    torch.testing.assert_close(risk(logits, d.with_(weight=weight)), (weight * losses).sum() / 3)


def test_wants_labels():
    with pytest.raises(InputError, match="unlabelled"):
        risk(torch.zeros(1, 2), Domain([[0.0]]))
