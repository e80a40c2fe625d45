"""The linear model that belongs to an answer: what trained heads start from and have to beat."""

from ...method import OnFeatures
from ...output import Output
from .linear_probe import LinearProbe
from .ridge_probe import RidgeProbe


def probe_of(output: Output) -> OnFeatures:
    """LinearProbe for what is named, RidgeProbe for what is measured.

    >>> from regraft.output import Real
    >>> probe_of(Real(("price",)))
    RidgeProbe()
    """
    return LinearProbe() if output.kind in LinearProbe.outputs else RidgeProbe()
