"""KLIEP: density ratios under which the target is most likely."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from ...folds import complement
from ...heads.kernel import squared_distances, usual_gamma
from ...method import param
from ...seeds import seed_of
from ...terms.mixture import mixture_proportions
from ...training import Training
from ..both_sides import Reweighted

WIDTHS = (0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)  # factors on the usual γ; under 0 all weights are equal
SEARCH = 1e-3  # nats of a target sample's mean log ratio within which a width is judged
NOTHING = -600.0  # a log ratio below all others, whose exponential is still a number


@final
@dataclass(frozen=True, kw_only=True)
class KLIEP(Reweighted):
    """max_α Σ_t log w(x_t)  with  Σ_s w(x_s) = n and α ≥ 0,  w(x) = Σ_l α_l exp(−γ ‖x − c_l‖²)

    c are samples of the target, `centres` of them at the most. So w p_source is the mixture, among those that
    are a density on the source's samples, from which the target has the least Kullback–Leibler divergence.
    γ is the multiple of 1 / (d · variance) under which held-out samples of the target are most likely. It
    helps where the target is a part of the source, unevenly drawn, also in shapes that Discriminative's
    Gaussians have not. It harms in many dimensions, and where the target lies outside the source: what lies
    nearest to it gets all of the weight.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import vectors
    >>> x = torch.linspace(-2, 2, 81)[:, None]
    >>> lab, field = Domain(x, ["out" if v.abs() > 1 else "in" for v in x]), Domain(x[50:])
    >>> model = KLIEP().fit(Problem(source=lab, target=field), vectors())
    >>> model.predict([[0.7], [1.5]]), model.provenance["effective_samples"] < 60
    (['in', 'out'], True)
    """

    reference: ClassVar[str] = "Sugiyama et al., Annals ISM 2008, eq. 8 and section 2.3"
    map: ClassVar[tuple[str, ...]] = ("M29",)

    centres: int = param(100, "samples of the target that bumps are put on", search=(30, 100, 200))
    folds: int = param(5, "folds of the target that choose γ", search=(3, 5, 10))

    def weights(
        self, source: Float[Tensor, "n d"], target: Float[Tensor, "m d"], training: Training
    ) -> Float[Tensor, " n"]:
        luck = torch.Generator().manual_seed(seed_of(training.seed, "centres"))
        source_order, order = (torch.randperm(len(side), generator=luck) for side in (source, target))
        far_s, far_t = (squared_distances(side, target[order[: self.centres]]) for side in (source, target))
        usual = float(usual_gamma(torch.cat([source, target])))
        folds = min(self.folds, len(source), len(target))
        told = [
            judged(-width * usual * far_s[source_order], -width * usual * far_t[order], folds)
            for width in WIDTHS
        ]
        gamma = usual * WIDTHS[told.index(max(told))]
        log_alpha = likeliest(-gamma * far_s, -gamma * far_t)
        return torch.logsumexp(log_alpha - gamma * far_s, 1).exp()


def likeliest(
    source: Float[Tensor, "n c"], target: Float[Tensor, "m c"], tolerance: float = 1e-5
) -> Float[Tensor, " c"]:
    """log α of the objective, from log k(x, c_l) at the samples of both sides.

    With b_l = mean_s k(x_s, c_l) and α_l = π_l / b_l the constraint is Σ π = 1, which makes π the proportions
    of a mixture with parts k(·, c_l) / b_l.

    >>> log_alpha = likeliest(torch.zeros(2, 1), torch.zeros(3, 1))
    >>> log_alpha.tolist()
    [0.0]
    """
    log_b = torch.logsumexp(source.double(), 0) - torch.tensor(len(source)).double().log()
    pi = mixture_proportions(target.double() - log_b, tolerance=tolerance)
    return pi.log() - log_b


def judged(source: Float[Tensor, "n c"], target: Float[Tensor, "m c"], folds: int) -> float:
    """The mean of log w over held-out samples of the target, w of mean 1 over held-out ones of the source.

    As published all of the source sets that mean; then narrow bumps win where the source happens to have few
    samples, and of two samples of one distribution the weights spread by 1.
    """
    told = 0.0
    parts = zip(
        torch.arange(len(source)).tensor_split(folds),
        torch.arange(len(target)).tensor_split(folds),
        strict=True,
    )
    for rows_s, rows_t in parts:
        if not len(rows_s) or not len(rows_t) or folds < 2:
            continue
        kept_s, kept_t = complement(rows_s, len(source)), complement(rows_t, len(target))
        log_alpha = likeliest(source[kept_s], target[kept_t], SEARCH)
        mean = torch.logsumexp((log_alpha + source[rows_s]).flatten(), 0) - torch.tensor(len(rows_s)).log()
        told += float((torch.logsumexp(log_alpha + target[rows_t], 1).clamp_min(NOTHING) - mean).sum())
    return told
