"""What a model says of samples."""

from dataclasses import dataclass
from typing import final

from jaxtyping import Bool, Float
from torch import Tensor


@final
@dataclass(frozen=True, eq=False)
class Answers:
    """For each of n samples a label, and how sure it is.

    label: the most probable class. probabilities: of every class, n × k; probability: of the label.
    plausible: n × k, the classes that the conformal prediction cannot rule out, often one, and none where
    no class is as probable as true ones were. novelty: how far the sample
    is from everything labelled; above 1 it is unlike them. accepted: whether exactly one class is plausible
    and the sample is not novel; otherwise the answer is "not sure". These three are None where the model was
    fitted without a judge, whose held-out predictions they need.
    """

    label: list[str]
    probabilities: Float[Tensor, "n k"]
    plausible: Bool[Tensor, "n k"] | None = None
    novelty: Float[Tensor, " n"] | None = None

    @property
    def probability(self) -> Float[Tensor, " n"]:
        if len(self.probabilities) == 0:
            return self.probabilities.sum(1)
        return self.probabilities.max(1).values

    @property
    def accepted(self) -> Bool[Tensor, " n"] | None:
        if self.plausible is None or self.novelty is None:
            return None
        return (self.plausible.sum(1) == 1) & (self.novelty <= 1)

    def __len__(self) -> int:
        return len(self.label)
