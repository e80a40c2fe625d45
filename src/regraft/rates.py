"""Which learning rate: the loss while the rate rises from far too small to far too large."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .averaging import put_back, states_of
from .checkpoint import Terms
from .errors import InputError
from .problem import Problem
from .progress import Silent
from .schedule import Mode
from .training import Phase, Step, Training, minimise

DIVERGED = 4.0  # times the lowest smoothed loss: nothing larger is worth a step
MEMORY = 0.9  # of the smoothed loss
SETTLED = 10  # steps after which it has its memory


@dataclass(frozen=True)
class RateCurve:
    """The loss at every step of a short run in which the learning rate rises exponentially.

    rates: of the part that learns fastest. losses: of one batch each.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]

    @property
    def smoothed(self) -> list[float]:
        """s_t = Σ_j m^j ℓ_{t−j} / Σ_j m^j with m = 0.9: the recent mean of the losses.

        >>> RateCurve((0.1, 0.2), (1.0, 2.0)).smoothed
        [1.0, 1.5263157894736843]
        """
        smoothed, mean = [], 0.0
        for t, loss in enumerate(self.losses, start=1):
            mean = MEMORY * mean + (1 - MEMORY) * loss
            smoothed.append(mean / (1 - MEMORY**t))
        return smoothed

    @property
    def suggested(self) -> float:
        """The rate at which the smoothed loss falls fastest, over the logarithm of the rate.

        The first ten steps do not count, because the mean of so few losses says more of their batches than
        of the rate; where the loss falls nowhere after them, it is the rate of the lowest. The other usual
        rule, a tenth of that rate, is far too high where a head starts as the linear probe: few samples are
        still learned by heart at rates that spoil the network.
        """
        if not self.losses:
            raise InputError(
                "no rate can be suggested, because the loss was no number at the smallest one: look for NaN "
                "and infinity in the samples or the network"
            )
        end = int(np.argmin(self.smoothed)) + 1
        if end < SETTLED + 2:
            return self.rates[end - 1]
        slope = np.gradient(self.smoothed[:end], np.log(self.rates[:end]))
        return self.rates[SETTLED + int(np.argmin(slope[SETTLED:]))]


class _Diverged(Exception):
    """The loss has left the range in which rates are of use."""


def find_rate(
    phase: Phase,
    problem: Problem,
    training: Training,
    heights: Sequence[Mode],
    *,
    batch_size: int,
    lowest: float = 1e-6,
    highest: float = 1.0,
    steps: int = 60,
) -> RateCurve:
    """Train the parts of a phase for a few steps, with rates from `lowest` to `highest`, and put them back.

    heights: the modes of the parts at their height, of which the highest rate is what rises; the others
    keep their proportion to it. The run ends where the smoothed loss is above four times its lowest, or no
    number. It draws the batches, and everything random, that training from the same seed draws.

    Smith, Cyclical learning rates for training neural networks, WACV 2017, arXiv:1506.01186, section 3.3.
    """
    if not 0 < lowest < highest or steps < 2:
        raise InputError(
            f"the rate is to rise from {lowest} to {highest} in {steps} steps: give a smaller and a larger "
            "rate above 0, and 2 steps or more"
        )
    before = states_of(phase.parts)
    height = max(mode.rate for mode in heights)
    rates = [lowest * (highest / lowest) ** (i / (steps - 1)) for i in range(steps)]
    losses: list[float] = []

    def rising(progress: float) -> list[Mode]:
        factor = rates[round(progress * steps)] / height
        return [replace(mode, rate=factor * mode.rate) for mode in heights]

    def watched(step: Step) -> Terms:
        terms = phase.objective(step)
        losses.append(sum(term.item() for term in terms.values()))
        smoothed = RateCurve(tuple(rates[: len(losses)]), tuple(losses)).smoothed
        if not smoothed[-1] <= DIVERGED * max(min(smoothed), 1e-3):
            raise _Diverged
        return terms

    quietly = replace(training, checkpoints=None, progress=Silent())
    try:
        minimise(
            [replace(phase, objective=watched, schedule=rising)],
            problem,
            quietly,
            steps=steps,
            batch_size=batch_size,
        )
    except _Diverged:
        losses.pop()
    finally:
        put_back(before, phase.parts)
    return RateCurve(tuple(rates[: len(losses)]), tuple(losses))
