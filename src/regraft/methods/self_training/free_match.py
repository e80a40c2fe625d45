"""FreeMatch: how sure is sure enough follows how sure the network is, of every class by itself."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ...trained import Network
from ..matching import Heard, Matching, remember


class Thresholds(nn.Module):
    """τ, the running mean confidence, and p̃, that of the probability of every class; both begin at 1/K."""

    overall: Tensor
    of_class: Tensor

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.register_buffer("overall", torch.tensor(1 / classes))
        self.register_buffer("of_class", torch.full((classes,), 1 / classes))

    @torch.no_grad()
    def take(self, q: Float[Tensor, "m k"]) -> None:
        remember(self.overall, q.amax(1).mean())
        remember(self.of_class, q.mean(0))

    def each(self) -> Float[Tensor, " k"]:
        """τ p̃_c / max_c p̃_c.

        >>> Thresholds(2).each().tolist()
        [0.5, 0.5]
        """
        return self.overall * self.of_class / self.of_class.max()


@final
@dataclass(frozen=True, kw_only=True)
class FreeMatch(Matching):
    """min_{η,β}  R_S(φ_η, β) + λ μ(p) (1/m) Σ_j 1[q_jŷ > τ p̃_ŷ / max_c p̃_c] CE(ŷ_j, f(x̃_j)),  ŷ = argmax q

    q_j is what the teacher says of sample j without a label, hardly changed, and f(x̃_j) what the network says
    of it changed strongly. τ is a running mean of max_c q_jc and p̃ of q_j, both from 1/K on: early, when
    nothing is sure, much is heard, and of a class that is seldom said more than of one that is often said. It
    helps where labels are so few that a fixed threshold lets hardly anything pass, or nothing of the harder
    classes. It harms where what is said early is mostly wrong, for that is what it learns then, and where
    classes are rare and not hard: of these it believes too much. λ = 0 is SourceTuned.

    The paper has the network as its own teacher (`memory` 0), means that keep 0.999 of themselves in a step
    (0.99 here, for trainings of hundreds of steps), μ = 1, and a term for the fairness of classes, which is
    left out.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import small_mlp
    >>> few = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> pool = Domain([[0.2], [0.05], [1.15], [1.2]])
    >>> FreeMatch().fit(Problem(target_labelled=few, unlabelled=pool), small_mlp(1)).predict([[0.2], [1.2]])
    ['low', 'high']
    """

    reference: ClassVar[str] = "Wang et al., ICLR 2023, arXiv:2205.07246, section 4.1"
    semi: ClassVar[bool] = True
    map: ClassVar[tuple[str, ...]] = ("M26",)

    def memory_of(self, classes: int) -> nn.Module:
        return Thresholds(classes)

    def heard(self, network: Network, says: Float[Tensor, "n k"], q: Float[Tensor, "m k"]) -> Heard:
        thresholds = network.following["remembered"]
        assert isinstance(thresholds, Thresholds)
        thresholds.take(q)
        confidence, label = q.max(1)
        return Heard(q, (confidence > thresholds.each()[label]).float())
