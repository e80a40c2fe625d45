"""What kind of shift there is between two domains, told by the features and the source's labels."""

from .hypotheses import Explanation
from .kind import KindOfShift, kind_of_shift

__all__ = ["Explanation", "KindOfShift", "kind_of_shift"]
