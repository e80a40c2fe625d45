"""SoftMatch: what is less sure than usual counts less, and nothing is left out."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ...method import param
from ...trained import Network
from ..matching import Heard, Matching, remember


class Confidence(nn.Module):
    """The running mean and variance of how sure is what is said, and the mean of every class."""

    mean: Tensor
    variance: Tensor
    of_class: Tensor

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(1 / classes))
        self.register_buffer("variance", torch.tensor(1.0))
        self.register_buffer("of_class", torch.full((classes,), 1 / classes))

    @torch.no_grad()
    def evened(self, q: Float[Tensor, "m k"]) -> Float[Tensor, "m k"]:
        """q over the running mean of every class, scaled to sum to 1: as if all were said equally often."""
        remember(self.of_class, q.mean(0))
        even = q / self.of_class
        return even / even.sum(1, keepdim=True)

    @torch.no_grad()
    def weight(self, confidence: Float[Tensor, " m"]) -> Float[Tensor, " m"]:
        """exp(−min(0, c − μ)² / (2 σ²)), with μ and σ² after this batch.

        >>> Confidence(2).weight(torch.tensor([1.0, 1.0])).tolist()
        [1.0, 1.0]
        """
        remember(self.mean, confidence.mean())
        remember(self.variance, confidence.var(correction=min(1, len(confidence) - 1)))
        return (-(confidence - self.mean).clamp_max(0).square() / (2 * self.variance)).exp()


@final
@dataclass(frozen=True, kw_only=True)
class SoftMatch(Matching):
    """min_{η,β}  R_S(φ_η, β) + λ μ(p) (1/m) Σ_j exp(−min(0, c_j − μ_c)² / (2 σ_c²)) CE(argmax_c q_jc, f(x̃_j))

    q_j is what the teacher says of sample j without a label, hardly changed, and f(x̃_j) what the network says
    of it changed strongly. c_j is the largest of q_j, with `align` after q is divided by the running mean of
    every class; μ_c and σ_c² are a running mean and variance of c_j. What is surer than usual counts fully,
    and what is less sure the less: no label is thrown away, and the unsure ones that are wrong do little. It
    helps where a fixed threshold would leave out most of the pool. It harms where what is said is mostly
    wrong, for all of it counts, and with `align` where classes are not about equally frequent, because the
    frequent ones are then believed less. λ = 0 is SourceTuned.

    The paper has the network as its own teacher (`memory` 0), running means that keep 0.999 of themselves in
    a step (0.99 here, for trainings of hundreds of steps), and μ(p) = 1.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import small_mlp
    >>> few = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> pool = Domain([[0.2], [0.05], [1.15], [1.2]])
    >>> SoftMatch().fit(Problem(target_labelled=few, unlabelled=pool), small_mlp(1)).predict([[0.2], [1.2]])
    ['low', 'high']
    """

    reference: ClassVar[str] = "Chen et al., ICLR 2023, arXiv:2301.10921, section 3"
    semi: ClassVar[bool] = True
    map: ClassVar[tuple[str, ...]] = ("M26",)

    align: bool = param(True, "whether classes that are often said count less", search=(False, True))

    def memory_of(self, classes: int) -> nn.Module:
        return Confidence(classes)

    def heard(self, network: Network, says: Float[Tensor, "n k"], q: Float[Tensor, "m k"]) -> Heard:
        usual = network.following["remembered"]
        assert isinstance(usual, Confidence)
        confidence = (usual.evened(q) if self.align else q).amax(1)
        return Heard(q, usual.weight(confidence))
