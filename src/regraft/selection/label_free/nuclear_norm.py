"""How sure and how varied a candidate's answers are."""

from typing import ClassVar, final

import torch

from .trial import LabelFree, Trial


@final
class NuclearNorm(LabelFree):
    """‖P‖_* / √(m · min(m, k)): the sum of the singular values of the target's probabilities, over the most

    P is m × k, a row a sample. It is 1 where every answer is certain and all classes are given alike, and
    1 / √min(m, k) where one class is said of everything: unlike entropy it does not fall for a collapse. It
    falls for the opposite: where the target's classes are in other proportions, it prefers who spreads
    answers over all of them, even if that one is less certain and mostly wrong.

    >>> import torch
    >>> from types import SimpleNamespace
    >>> sure, collapsed = torch.eye(2).repeat(3, 1), torch.tensor([[1.0, 0.0]]).repeat(6, 1)
    >>> [round(NuclearNorm()(SimpleNamespace(of_target=p.log())), 3) for p in (sure, collapsed)]
    [1.0, 0.707]
    """

    name: ClassVar[str] = "nuclear norm"
    short: ClassVar[str] = "BNM"
    kind: ClassVar[str] = "certainty"
    reference: ClassVar[str] = "Cui et al., CVPR 2020, arXiv:2003.12237; as a score arXiv:2208.07360"
    warning: ClassVar[str] = "prefers answers spread over all classes, also where the target has few of them"

    def __call__(self, trial: Trial) -> float:
        p = trial.of_target.double().exp()
        m, k = p.shape
        return float(torch.linalg.svdvals(p).sum() / (m * min(m, k)) ** 0.5)
