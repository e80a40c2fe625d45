"""Whether rivals say the same of the target."""

from typing import ClassVar, final

import torch

from .trial import LabelFree, Trial


@final
class Agreement(LabelFree):
    """(1/r) Σ over rivals of (1/m) Σ 1[ŷ(xᵢ) = ŷ_rival(xᵢ)] over the target

    If candidates err in different ways, those that agree with most of the others err least: two of accuracies
    a and b that are wrong independently agree more the larger a and b are. Candidates that err alike, because
    they are variants of one recipe or all collapsed onto one class, elect each other; and the only one that
    is right disagrees with everybody. NaN where there are no rivals.

    >>> from types import SimpleNamespace
    >>> mine, same, other = torch.eye(2), torch.eye(2), torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    >>> Agreement()(SimpleNamespace(of_target=mine, others=[same, other]))
    0.75
    """

    name: ClassVar[str] = "agreement"
    short: ClassVar[str] = "rivals"
    kind: ClassVar[str] = "agreement"
    reference: ClassVar[str] = (
        "Jiang et al., ICLR 2022, arXiv:2106.13799; Baek et al., NeurIPS 2022, arXiv:2206.13089"
    )
    warning: ClassVar[str] = "candidates that err alike elect each other"

    def __call__(self, trial: Trial) -> float:
        if not trial.others:
            return torch.nan
        said = trial.of_target.argmax(1)
        alike = [(other.argmax(1) == said).double().mean() for other in trial.others]
        return float(torch.stack(alike).mean())
