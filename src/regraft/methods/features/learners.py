"""What learns from features that were mapped or weighted."""

from ...errors import InputError
from ...method import OnFeatures
from ...output import Classes, Output
from .kernel_probe import KernelProbe
from .linear_probe import LinearProbe
from .probe import probe_of
from .ridge_probe import RidgeProbe

LEARNERS = ("auto", "probe", "cautious", "ridge", "kernel")


def learner_of(name: str, output: Output) -> OnFeatures:
    """The recipe of that name: auto is ridge, or the probe where ridge cannot learn the output.

    probe is the linear model that belongs to the output, its strength chosen by cross-validation. cautious is
    the same where there are classes, with the strongest penalty that is about as often right: what learned
    from samples of one kind, and is tuned on them, is too sure of its directions for another kind.

    >>> from regraft.output import Classes
    >>> learner_of("cautious", Classes(("crow", "owl")))
    LinearProbe(folds=5, cautious=True)
    """
    if name not in LEARNERS:
        raise InputError(f"learner is {name!r}: name one of {', '.join(LEARNERS)}")
    usual = RidgeProbe() if output.kind in RidgeProbe.outputs else probe_of(output)
    probe = probe_of(output)
    cautious = LinearProbe(cautious=True) if output.kind == Classes.kind else probe
    learners: dict[str, OnFeatures] = {"ridge": RidgeProbe(), "kernel": KernelProbe()}
    learner = {"auto": usual, "probe": probe, "cautious": cautious, **learners}[name]
    learner.must_learn(output)
    return learner
