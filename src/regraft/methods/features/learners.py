"""What learns from features that were mapped or weighted."""

from ...errors import InputError
from ...method import OnFeatures
from ...output import Output
from .kernel_probe import KernelProbe
from .probe import probe_of
from .ridge_probe import RidgeProbe

LEARNERS = ("auto", "probe", "ridge", "kernel")


def learner_of(name: str, output: Output) -> OnFeatures:
    """The recipe of that name: auto is ridge, or the probe where ridge cannot learn the output.

    probe is the linear model that belongs to the output, its strength chosen by cross-validation.

    >>> from regraft.output import Classes
    >>> learner_of("probe", Classes(("crow", "owl")))
    LinearProbe(folds=5)
    """
    if name not in LEARNERS:
        raise InputError(f"learner is {name!r}: name one of {', '.join(LEARNERS)}")
    usual = RidgeProbe() if output.kind in RidgeProbe.outputs else probe_of(output)
    learner = {"auto": usual, "probe": probe_of(output), "ridge": RidgeProbe(), "kernel": KernelProbe()}[name]
    learner.must_learn(output)
    return learner
