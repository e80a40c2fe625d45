"""TrAdaBoost: samples of the source that contradict the target lose their weight."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ...domain import Domain
from ...heads.logistic import PREDICTS, fit_logistic_each
from ...heads.scaling import scaled
from ...heads.votes import Votes
from ...method import param
from ...training import Training
from ..features.linear_probe import unscaled
from ..with_source import Learned, Together, WithSource

HALF = 0.499  # what is wrong as often as right has no say


@final
@dataclass(frozen=True, kw_only=True)
class TrAdaBoost(WithSource):
    """w_S ← w_S β^[h_t ≠ y],  w_T ← w_T β_t^(−[h_t ≠ y]),  β = 1/(1 + √(2 ln n_s / N)),  β_t = ε_t/(1 − ε_t)

    In each of N rounds a logistic regression h_t learns from all samples by their weights; ε_t is its
    weighted error on the target. Samples of the target that it gets wrong count more, as in AdaBoost, and
    samples of the source that it gets wrong less. The rounds from ⌈N/2⌉ on vote, each with ln(1/β_t). Both
    domains start with half of the weight. ε_t is kept from 1/(2 n_t + 2) to just below ½, where the paper
    stops; C is chosen once, by held-out samples of the target under the weights of the start. It helps where
    a part of the source is labelled as the target would be and another part is not. Where the two merely look
    different it has nothing to remove, and with few labels of the target most of the rounds get all of them
    right and differ only by what the source has lost.

    >>> from regraft import Problem
    >>> from regraft.backbones import vectors
    >>> lab = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> field = Domain([[0.2], [0.4], [1.3], [1.5]], ["low", "low", "high", "high"])
    >>> model = TrAdaBoost(rounds=5).fit(Problem(source=lab, target_labelled=field), vectors())
    >>> model.predict([[0.3], [1.4]])
    ['low', 'high']
    """

    reference: ClassVar[str] = "Dai, Yang, Xue & Yu, Boosting for transfer learning, ICML 2007, algorithm 1"
    map: ClassVar[tuple[str, ...]] = ("M28",)

    rounds: int = param(20, "N: how many classifiers learn, of which the second half votes", (10, 20, 50))
    folds: int = param(5, "folds of the target that choose C", search=(3, 5, 10))

    def head(self, target: Domain, source: Domain, training: Training) -> Learned:
        every = torch.arange(len(target))
        both = Together.of(target, source, [every], self.folds, training.seed)
        u, centre, scale = scaled(both.x)
        k, m = target.classes.width, len(target)
        weight = both.own * torch.where(both.of_target, 0.5 / m, 0.5 / len(source))
        beta = 1 / (1 + math.sqrt(2 * math.log(len(source)) / self.rounds))
        how: dict[str, Any] = {"relative": True, "tolerance": PREDICTS}
        heads, say = [], []
        for _ in range(self.rounds):
            weight = weight / weight.mean()
            [fit] = fit_logistic_each(u, both.y, k, both.kept, both.folds, weight=weight, **how)
            how["strengths"] = (fit.strength,)
            wrong = (u @ fit.weight.T + fit.bias).argmax(1) != both.y
            odds = odds_of_error(weight[both.of_target], wrong[both.of_target])
            weight = weight * torch.where(both.of_target, 1 / odds, beta) ** wrong
            heads.append(unscaled(fit, centre, scale))
            say.append(-math.log(odds))
        voting = slice(math.ceil(self.rounds / 2) - 1, None)
        left = float(weight[~both.of_target].sum() / weight.sum())
        told = {"weight_of_source": left, "strength": how["strengths"][0]}
        return Learned(Votes.of(heads[voting], torch.tensor(say[voting])), told)


def odds_of_error(weight: Float[Tensor, " m"], wrong: Bool[Tensor, " m"]) -> float:
    """ε/(1 − ε) for ε = Σ w [wrong] / Σ w, kept from 1/(2 m + 2) to just below ½.

    >>> odds_of_error(torch.ones(4), torch.tensor([True, False, False, False]))
    0.3333333333333333
    """
    error = float((weight * wrong).sum() / weight.sum())
    error = min(max(error, 1 / (2 * len(weight) + 2)), HALF)
    return error / (1 - error)
