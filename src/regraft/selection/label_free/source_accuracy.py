"""How well a candidate still knows the source."""

from typing import ClassVar, final

from .trial import LabelFree, Trial


@final
class SourceAccuracy(LabelFree):
    """(1/h) Σ 1[argmax_c p_c(xᵢ) = yᵢ] over the held-out samples of the source

    Nothing of it is about the target: it prefers what never adapts, and ranks those that adapt by how little
    they changed. A network that collapsed as a whole does not keep it, and that it shows; what maps the
    target alone onto the wrong classes does, and that it cannot see.

    >>> import torch
    >>> from types import SimpleNamespace
    >>> held = SimpleNamespace(right=torch.tensor([True, False, True, True]))
    >>> SourceAccuracy()(SimpleNamespace(held_out=held))
    0.75
    """

    name: ClassVar[str] = "source accuracy"
    short: ClassVar[str] = "source"
    kind: ClassVar[str] = "source"
    asks_source: ClassVar[bool] = True
    reference: ClassVar[str] = "Musgrave, Belongie & Lim 2022, arXiv:2208.07360"
    warning: ClassVar[str] = "knows nothing of the target, and prefers what does not adapt"

    def __call__(self, trial: Trial) -> float:
        assert trial.held_out is not None
        return float(trial.held_out.right.double().mean())
