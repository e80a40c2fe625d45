"""AdaMatch: sure answers on the target, in the proportions of the source, are labels of changed samples."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ...method import param
from ...trained import Network
from ...training import Step
from ..matching import Heard, Matching, remember


class Proportions(nn.Module):
    """The running mean of the probabilities of every class, in the source and in the target."""

    source: Tensor
    target: Tensor

    def __init__(self, classes: int) -> None:
        super().__init__()
        for side in ("source", "target"):
            self.register_buffer(side, torch.full((classes,), 1 / classes))

    @torch.no_grad()
    def take(self, source: Float[Tensor, "n k"], target: Float[Tensor, "m k"]) -> None:
        remember(self.source, source.mean(0))
        remember(self.target, target.mean(0))

    def aligned(self, q: Float[Tensor, "m k"]) -> Float[Tensor, "m k"]:
        """q · source / target, scaled to sum to 1."""
        q = q * (self.source / self.target)
        return q / q.sum(1, keepdim=True)


@final
@dataclass(frozen=True, kw_only=True)
class AdaMatch(Matching):
    """min_{η,β}  R_S(φ_η, β) + λ μ(p) (1/m) Σ_j 1[max_c q_jc ≥ τ c̄] CE(argmax_c q_jc, f(x̃_j))

    q_j is what the teacher says of sample j of the target, hardly changed, times the proportions of classes
    in the source over those in the target (both a running mean of what is said), scaled to sum to 1; c̄ is the
    mean confidence in the source's batch, and f(x̃_j) what the network says of the sample changed strongly.
    μ(p) = ½ − ½ cos(π min(1, p / ramp)) rises with the progress p. It helps where most of what the source
    says of the target is right, and a change of which one knows that it changes no class (a shape is a shape
    in any colour) leads from one to the other. Where most is wrong, what is wrong is learned; where classes
    have other proportions in the target, alignment moves samples into wrong ones: `align` off. λ = 0 is
    SourceTuned.

    The paper has a source changed weakly and strongly, the network as its own teacher (`memory` 0),
    proportions of the batch, the distribution q and not its largest class as label (`soft`), c̄ of the source
    changed weakly, ramp 0.5, and one pass over both domains, with the source's scores a random mixture of
    those and of a pass of its own. Here each domain has a pass of its own, so that BatchNorm sees it by its
    own statistics; `interpolate` adds a joint one for that mixture.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import small_mlp
    >>> lab = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> field = Domain([[0.2], [1.2]])
    >>> AdaMatch().fit(Problem(source=lab, target=field), small_mlp(1)).predict(field)
    ['low', 'high']
    """

    reference: ClassVar[str] = "Berthelot et al., ICLR 2022, arXiv:2106.04732, section 3"
    semi: ClassVar[bool] = True
    map: ClassVar[tuple[str, ...]] = ("M26",)

    threshold: float = param(
        0.9, "τ: least confidence of a label, in units of the source's mean one", search=(0.8, 0.9, 0.95)
    )
    align: bool = param(True, "whether the target is to have the source's proportions", search=(False, True))
    interpolate: bool = param(
        False, "whether the source's scores are mixed with those of a joint pass", search=(False, True)
    )

    def memory_of(self, classes: int) -> nn.Module:
        return Proportions(classes)

    def source_scores(
        self, network: Network, step: Step, source: Float[Tensor, "n d"]
    ) -> Float[Tensor, "n k"]:
        alone = super().source_scores(network, step, source)
        if not self.interpolate:
            return alone
        x, target = step.batch.domains["source"].x, self.strong(step)
        jointly: Tensor = network(torch.cat([x.to(target.device), target]))[: len(alone)]
        return torch.lerp(alone, jointly, torch.rand_like(alone))

    def heard(self, network: Network, says: Float[Tensor, "n k"], q: Float[Tensor, "m k"]) -> Heard:
        proportions = network.following["remembered"]
        assert isinstance(proportions, Proportions)
        proportions.take(says, q)
        if self.align:
            q = proportions.aligned(q)
        return Heard(q, (q.amax(1) >= self.threshold * says.amax(1).mean()).float())
