"""What is to be expected of a gain before it is measured, and what follows for handing over and giving up."""

import math
from dataclasses import dataclass
from typing import Self, final

from ..intervals import Interval, standard_error

# what pools that look like the labelled samples are worth, in shares of samples: the mean and the spread over
# data sets and numbers of labels, as found while `benchmarks/semi.py` was made
BROUGHT, SPREAD = 0.04, 0.05
MUCH = 0.2  # errors, in shares of samples, from which on there is as much to be brought
UNLIKELY = 0.8416  # standard deviations: one in five ends beyond them


@final
@dataclass(frozen=True)
class Expectation:
    """Gains of this kind are N(mean, spread²), in shares of samples; by default nothing is known of them.

    >>> gain = Interval(-0.05, -0.2, 0.1)
    >>> Expectation().likely(gain), Expectation.of_pools(0.7, 100).likely(gain)
    (False, True)
    """

    mean: float = 0.0
    spread: float = math.inf

    @classmethod
    def of_pools(cls, score: float, samples: int) -> Self:
        """What pools that look like the labelled samples bring where labels alone have such a score.

        No pool takes away more errors than there are: below one error in five mean and spread shrink with
        the errors, which are (n (1 − score) + 1) / (n + 2) of n samples (Laplace's rule), since none seen
        does not mean that there are none.

        >>> Expectation.of_pools(score=0.6, samples=100)
        Expectation(mean=0.04, spread=0.05)
        >>> Expectation.of_pools(score=0.99, samples=98).mean < 0.004
        True
        """
        errors = (samples * (1 - score) + 1) / (samples + 2)
        scale = min(1.0, errors / MUCH)
        return cls(BROUGHT * scale, SPREAD * scale)

    def likely(self, gain: Interval) -> bool:
        """Whether what was measured is more likely to help than not.

        The mean of what is left of N(μ, τ²) after a gain d ± s was seen is above zero,
        (d / s² + μ / τ²) / (1 / s² + 1 / τ²): with few labels d says little and a pool is taken unless it is
        far behind, with many d decides.

        >>> usual = Expectation.of_pools(0.6, 100)
        >>> usual.likely(Interval(-0.05, -0.2, 0.1)), usual.likely(Interval(-0.05, -0.07, -0.03))
        (True, False)
        """
        return gain.value + self.mean * self._doubt(gain) > 0

    def hopeless(self, gain: Interval, share: float) -> bool:
        """Whether the chance to end likely is below one in five, by the gain on this share of the samples.

        With w = s² / τ² the gain on the samples to come is normal around (d + w μ) / (1 + w), with the
        variance s² / (1 + w) + s² m / (n − m) where m of n are done (predictive probability: Spiegelhalter,
        Freedman & Blackburn, Controlled Clinical Trials 7, 1986). Where nothing is known, w = 0, the gain on
        all is normal around d with the deviation s √(1 − m / n).

        >>> behind = Interval(-0.02, -0.05, 0.01)
        >>> Expectation().hopeless(behind, 0.2), Expectation.of_pools(0.6, 100).hopeless(behind, 0.2)
        (True, False)
        """
        variance, doubt, left = standard_error(gain) ** 2, self._doubt(gain), 1 - share
        to_come = (gain.value + self.mean * doubt) / (1 + doubt)
        spread = math.sqrt(variance * left * (left / (1 + doubt) + share))
        return share * gain.value + left * to_come + UNLIKELY * spread < -self.mean * doubt * share

    def _doubt(self, gain: Interval) -> float:
        """How much less is told by the gain than is known before, as a ratio of variances."""
        return (standard_error(gain) / self.spread) ** 2


UNKNOWN = Expectation()
