"""How sure a candidate is of the target."""

from typing import ClassVar, final

from .trial import LabelFree, Trial


@final
class Entropy(LabelFree):
    """mean Σ_c p_c log p_c over the target: minus the mean entropy of what is said of it.

    It prefers whoever is surest, and so a collapsed candidate that says one class of everything.

    >>> Entropy().kind
    'certainty'
    """

    name: ClassVar[str] = "entropy"
    kind: ClassVar[str] = "certainty"
    reference: ClassVar[str] = "Morerio, Cavazza & Murino, ICLR 2018, arXiv:1711.10288"
    warning: ClassVar[str] = "prefers candidates that say one class of everything"

    def __call__(self, trial: Trial) -> float:
        log_p = trial.of_target
        return float((log_p.exp() * log_p.clamp_min(-1e4)).sum(1).mean())
