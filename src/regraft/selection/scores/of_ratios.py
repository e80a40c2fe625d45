"""Scores whose metrics are means of ratios of sums."""

from abc import abstractmethod

from jaxtyping import Float
from torch import Tensor

from ...intervals import Interval, mean_gain, mean_of
from .ratios import Ratios
from .scores import Scores


class OfRatios(Scores):
    """What follows from the ratios: values, intervals by the jackknife, paired gains."""

    @abstractmethod
    def ratios(self, metric: str) -> Ratios:
        """The metric as a mean of ratios."""

    def value(self, metric: str) -> float:
        return self.ratios(metric).value

    def interval(self, metric: str) -> Interval:
        found = mean_of(self.ratios(metric).contributions(), self.group, self.overlap)
        return found.within(self.lowest, 1.0)

    def gain_over(self, other: "OfRatios", metric: str) -> Interval:
        ours, theirs = self.ratios(metric), other.ratios(metric)
        repeats = min(len(ours.above), len(theirs.above))
        a, b = (each.first(repeats).contributions() for each in (ours, theirs))
        return mean_gain(a, b, self.group, self.overlap)

    def values(self, metric: str, times: Float[Tensor, "b n"]) -> Float[Tensor, " b"]:
        return self.ratios(metric).values(times)
