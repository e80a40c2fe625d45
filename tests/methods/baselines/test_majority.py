import torch

from regraft.backbones import vectors
from regraft.domain import Domain
from regraft.methods.baselines.majority import Majority
from regraft.problem import Problem


def test_probabilities_are_laplace_smoothed_shares():
    data = Domain(torch.zeros(5, 1), ["a", "a", "a", "b", "b"])
    chances = Majority().fit(Problem(target_labelled=data), vectors()).probabilities([[7.0]])
    torch.testing.assert_close(chances, torch.tensor([[4 / 7, 3 / 7]], dtype=torch.float64))
