"""Whether a network can be trained in the time that is left."""

import time
from dataclasses import replace

import torch

from ..backbone import Backbone
from ..problem import Problem
from ..progress import Silent
from ..text import seconds_text
from ..trained import Trained
from ..training import Training
from .entries import Entry

PROBED = 3  # steps that are timed


class Budget:
    """Seconds for training networks; the clock starts with the first network that is to be trained.

    >>> Budget(None).left
    inf
    """

    def __init__(self, seconds: float | None) -> None:
        self.seconds = float("inf") if seconds is None else seconds
        self.started: float | None = None

    @property
    def left(self) -> float:
        """The seconds that are left."""
        return self.seconds - (0.0 if self.started is None else time.monotonic() - self.started)

    def too_long(self, entry: Entry, folds: int) -> str:
        """Why the candidate does not fit into what is left, or nothing; found by a few timed steps."""
        method = entry.candidate.method
        if not isinstance(method, Trained) or self.seconds == float("inf"):
            return ""
        self.started = self.started or time.monotonic()
        needed = (
            (folds + 1) * seconds_to_fit(method, entry.seen, entry.suffix, entry.training)
            if self.left > 0
            else 0.0
        )
        if needed < self.left:
            return ""
        if self.left <= 0:
            return "nothing of the budget is left"
        return (
            f"would take about {seconds_text(needed)} s, "
            f"and {seconds_text(self.left)} s of the budget are left"
        )


def seconds_to_fit(method: Trained, seen: Problem, suffix: Backbone, training: Training) -> float:
    """About how long one fit takes, from the steps of a brief fit to one batch of the labelled samples, or of
    the target, which the source's model labels."""
    seen = seen.cast(method.needs)
    role = method.taught if method.taught in seen.domains else "target"
    labelled = seen.domains[role]
    some = torch.randperm(len(labelled), generator=torch.Generator().manual_seed(0))[: method.batch_size]
    batch = seen.restricted(some, role)
    brief = replace(training, progress=Silent(), checkpoints=None)

    def seconds(steps: int) -> float:
        start = time.perf_counter()
        replace(method, epochs=0, least_steps=steps, held_out=0.0).fit(batch, suffix, brief)
        return time.perf_counter() - start

    seconds(1)  # warms up
    first, several = seconds(1), seconds(1 + PROBED)
    # on a busy machine the difference may be anything, even negative; a step is hardly less than this share
    a_step = max((several - first) / PROBED, several / (1 + PROBED) / 10)
    return a_step * method.planned_steps(len(labelled))
