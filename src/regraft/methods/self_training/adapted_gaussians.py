"""Adapted Gaussians: the classes' means move to where the target has its samples."""

from dataclasses import dataclass
from typing import ClassVar, Literal, final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import one_hot

from ...heads import Linear
from ...heads.affine import Affine
from ...heads.principal import principal
from ...method import param
from ...output import Classes
from ...training import Training
from ..both_sides import OnBothSides, Seen, Sides, middles
from ..features.learners import LEARNERS
from ..label_shift.held_out import class_shares

NEVER = -30.0  # log π of a class that the source has not shown


@final
@dataclass(frozen=True, kw_only=True)
class AdaptedGaussians(OnBothSides):
    """max_{π,μ,Σ} (1 − λ) mean_t log Σ_c π_c N(z_t; μ_c, Σ) + λ mean_s log N(z_s; μ_{y_s}, Σ) − (ε/2) tr Σ⁻¹

    z are principal components, each side around its own mean or, not `apart`, around that of all; λ is
    `kept`, the share of the source. EM starts from what the learner, taught by the source, says of the
    target: where that is mostly right, the means and the axes of the classes go on to where the target's
    samples lie, and planes between them follow. With `proportions="kept"` π is what gives every class the
    source's share of the target, so that no class swallows another, which is how EM mostly fails. It helps
    where the classes are heaps in the target as well, moved or of another shape. It harms where the learner
    is mostly wrong, where the target has other heaps than classes, and where proportions are kept that are
    others: it then draws a border through a heap.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import vectors
    >>> lab = Domain([[0.0], [1.0], [4.0], [5.0]] * 3, ["low", "low", "high", "high"] * 3)
    >>> field = Domain([[20.0], [21.0], [24.0], [25.0]] * 3)
    >>> model = AdaptedGaussians().fit(Problem(source=lab, target=field), vectors())
    >>> model.predict(field[:4]), [round(share, 2) for share in model.provenance["priors"].values()]
    (['low', 'low', 'high', 'high'], [0.5, 0.5])
    """

    reference: ClassVar[str] = "Nigam et al., Machine Learning 2000, section 5.3.1 (EM-λ), with Gaussians"
    outputs: ClassVar[frozenset[str]] = frozenset({Classes.kind})
    semi: ClassVar[bool] = True
    map: ClassVar[tuple[str, ...]] = ("M25", "M29")

    learner: str = param("ridge", "what says the first labels of the target", LEARNERS)
    components: int = param(256, "principal components of all features; 0 keeps them all", (0, 32, 64, 256))
    kept: float = param(0.5, "λ: the share of the source", search=(0.0, 0.2, 0.5))
    proportions: Literal["kept", "estimated"] = param(
        "kept", "whether classes keep the source's shares or get the target's own", ("kept", "estimated")
    )
    apart: bool = param(True, "whether each side is seen less its own mean", search=(False, True))
    ridge: float = param(0.3, "ε: what is added to all variances", search=(0.1, 0.3, 1.0))
    iterations: int = param(20, "steps of EM", search=(1, 5, 20, 50))

    def sides(self, seen: Seen, training: Training) -> Sides:
        sides, middle = (seen.source.x, seen.target), middles(seen.source.x, seen.target, self.apart)
        space = principal([x - centre for x, centre in zip(sides, middle, strict=True)], self.components)
        of_source, of_target = (around(space, centre) for centre in middle)
        source, target = seen.source.with_(x=of_source(seen.source.x)), of_target(seen.target)
        with torch.no_grad():
            member = self.taught_by(source, training)(target).double().softmax(1)
        shown = source.classes.counts(source.labels) > 0
        of_all = class_shares(source)
        known = one_hot(source.labels, source.classes.width).double()
        for _ in range(max(1, self.iterations)):
            found = self.maximised(source.x, known, target, member)
            shares = member.mean(0) if self.proportions == "estimated" else of_all
            log_pi = torch.where(shown, shares.log().clamp_min(NEVER), NEVER)
            with torch.no_grad():
                scores = found.classifier(log_pi)(target)
                if self.proportions == "kept":
                    offset = offset_to(shares, scores)
                    log_pi, scores = log_pi + offset, scores + offset
            member = scores.softmax(1)
        head = found.classifier(log_pi)
        told = {"priors": dict(zip(source.classes.names, shares.tolist(), strict=True))}
        own = found.classifier(torch.where(shown, of_all.log(), NEVER))
        return Sides(of_target.then(head), of_source.then(own), told)

    def maximised(
        self,
        source: Float[Tensor, "n d"],
        known: Float[Tensor, "n k"],
        target: Float[Tensor, "m d"],
        member: Float[Tensor, "m k"],
    ) -> "Gaussians":
        """The M-step: μ and Σ of all samples, each with its share in every class and its weight."""
        z = torch.cat([source, target])
        weight = torch.cat([self.kept * known / len(source), (1 - self.kept) * member / len(target)])
        mass = weight.sum(0)
        means = weight.T @ z / mass.clamp_min(1e-12)[:, None]
        # Σᵢ Σ_c w_ic (zᵢ − μ_c)(zᵢ − μ_c)ᵀ
        within = (z * weight.sum(1, keepdim=True)).T @ z - (means * mass[:, None]).T @ means
        return Gaussians(means, within + self.ridge * torch.eye(z.shape[1], dtype=z.dtype))


@final
@dataclass(frozen=True, eq=False)
class Gaussians:
    """N(μ_c, Σ) for every class c."""

    means: Float[Tensor, "k d"]
    covariance: Float[Tensor, "d d"]

    def classifier(self, log_pi: Float[Tensor, " k"]) -> Linear:
        """log π_c + log N(z; μ_c, Σ), up to what all classes share: μ_cᵀ Σ⁻¹ z − ½ μ_cᵀ Σ⁻¹ μ_c + log π_c.

        >>> line = Gaussians(torch.tensor([[0.0], [2.0]]).double(), torch.eye(1).double())
        >>> line.classifier(torch.zeros(2).double())(torch.tensor([[1.0], [2.0]])).tolist()
        [[0.0, 0.0], [0.0, 2.0]]
        """
        weight = torch.linalg.solve(self.covariance, self.means.T).T
        return Linear.of(weight, log_pi - 0.5 * (weight * self.means).sum(1))


def around(space: Affine, centre: Float[Tensor, " d"]) -> Affine:
    """The map into that space, moved so that the centre is 0 there."""
    return Affine(space.weight, -torch.mv(space.weight, centre))


def offset_to(
    shares: Float[Tensor, " k"], scores: Float[Tensor, "m k"], steps: int = 50
) -> Float[Tensor, " k"]:
    """What added to the scores gives every class its share: the mean of softmax(scores + b) is π.

    >>> scores = torch.tensor([[2.0, 0.0], [1.0, 0.0]]).double()
    >>> (scores + offset_to(torch.tensor([0.5, 0.5]), scores)).softmax(1).mean(0)
    tensor([0.5000, 0.5000], dtype=torch.float64)
    """
    offset = torch.zeros_like(scores[0])
    there = shares > 0
    for _ in range(steps):
        now = (scores + offset).softmax(1).mean(0)
        offset = offset + torch.where(there, (shares / now.clamp_min(1e-300)).log(), 0.0)
    return offset
