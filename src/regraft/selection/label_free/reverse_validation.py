"""The way back: what the target was told teaches the source again."""

from typing import ClassVar, final

import torch

from ...errors import InputError
from ...problem import Problem
from .trial import LabelFree, Trial


@final
class ReverseValidation(LabelFree):
    """(1/h) Σ 1[g(xᵢ) = yᵢ] over the held-out source; g is fitted to {(x, ŷ(x)) : x of the target}

    ŷ is what the candidate says of the target. The same recipe learns g from the target so labelled, as its
    source, for the kept samples of the source without their labels, as its target, and g is asked as its
    target is. If the way there loses the labels, no way back finds them; but a wrong map that can be undone
    gets full marks, such as that of covariances which differ because the classes' proportions do. Where
    one class is said of everything there is nothing to fit, and the score is the accuracy of that class. It
    costs another fit, and is NaN for a recipe that cannot be run on so labelled samples.

    >>> ReverseValidation().kind
    'reverse'
    """

    name: ClassVar[str] = "reverse validation"
    short: ClassVar[str] = "reverse"
    kind: ClassVar[str] = "reverse"
    refits: ClassVar[bool] = True
    asks_source: ClassVar[bool] = True
    reference: ClassVar[str] = (
        "Zhong et al., ECML PKDD 2010; Ganin et al., JMLR 2016, arXiv:1505.07818, section 5.1.5"
    )
    warning: ClassVar[str] = "gives full marks to a wrong map that can be undone"

    def __call__(self, trial: Trial) -> float:
        assert trial.held_out is not None
        held_out, said = trial.held_out.samples, trial.of_target.argmax(1)
        y = held_out.labels
        if (said == said[0]).all():
            return float((y == said[0]).double().mean())
        there, here = trial.problem.domains["target"], trial.problem.domains["source"]
        back = Problem(source=there.with_(y=said, output=held_out.asked), target=here.unlabelled())
        try:
            told = trial.refit(back).target.logits(held_out.x).argmax(1)
        except InputError:
            return torch.nan
        return float((told == y).double().mean())
