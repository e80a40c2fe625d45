"""How far apart domains are, and what differs."""

from .apart import Apart, told_apart
from .bound import Bound, bounds
from .labels import LabelShift, label_shift
from .measure import measure_shift
from .shift import Pair, Shift, Way

__all__ = [
    "Apart",
    "Bound",
    "LabelShift",
    "Pair",
    "Shift",
    "Way",
    "bounds",
    "label_shift",
    "measure_shift",
    "told_apart",
]
