"""One or several numbers."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, final

from jaxtyping import Float, Int
from torch import Tensor

from ..errors import InputError
from .classes import names_from_json
from .entries import Known, columns_by_name, known_entries, mean_of_known, read_numbers
from .output import Output

MOST_ALIKE = 10  # groups of samples with about the same numbers
LEAST_ALIKE = 5  # samples of such a group


@final
@dataclass(frozen=True)
class Real(Output):
    """One or several numbers; y holds them as they are, n × k.

    names: what the numbers are called; read off y (the columns of a data frame) where they are not given.
    units: what each is measured in, or nothing. None and NaN in y are unknown: they count neither in the
    loss, which is the mean over the known of (ŷ − y)², nor in a score.

    >>> from regraft.domain import Domain
    >>> homes = Domain([[70.0], [90.0]], [[310.0, 2.0], [None, 3.0]], Real(("price", "rooms"), ("k€", "")))
    >>> str(homes), homes.observed.tolist()
    ('2 vectors of 1 numbers, 2 numbers (price, rooms)', [[True, True], [False, True]])
    """

    kind: ClassVar[str] = "real"
    metrics: ClassVar[tuple[str, ...]] = ("r2", "d2")
    task: ClassVar[str] = "Estimate"
    noun: ClassVar[str] = "numbers"
    loss_name: ClassVar[str] = "squared error"

    names: tuple[str, ...] = ()
    units: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.units and len(self.units) != len(self.names):
            raise InputError(
                f"there are {len(self.units)} units for {len(self.names)} numbers: give one for each, or none"
            )

    @property
    def width(self) -> int:
        return len(self.names)

    def read(self, y: Any, observed: Known = None) -> tuple["Real", Float[Tensor, "n k"], Known]:
        called = getattr(y, "columns", None)
        y, observed = read_numbers(y, observed, "a number")
        k = y.shape[1]
        names = self.names or (tuple(map(str, called)) if called is not None else numbered("y", k))
        if len(names) != k or len(set(names)) < k:
            raise InputError(f"y has {k} columns, and the numbers are called {list(names)}: name each once")
        return replace(self, names=names), y, observed

    def loss(
        self, logits: Float[Tensor, "n k"], y: Float[Tensor, "n k"], observed: Known = None
    ) -> Float[Tensor, " n"]:
        return mean_of_known((logits - y.to(logits.dtype)).square(), observed)

    def expected(self, logits: Float[Tensor, "*r n k"]) -> Float[Tensor, "*r n k"]:
        """The scores themselves."""
        return logits

    def answer(self, expected: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        return expected

    def decode(self, y: Float[Tensor, "n k"]) -> list[Any]:
        """A number for each sample, or a list where there are several."""
        rows: list[Any] = y.tolist()
        return [row[0] for row in rows] if self.width == 1 else rows

    def prior(self, y: Float[Tensor, "n k"], observed: Known = None) -> Float[Tensor, " k"]:
        """The means."""
        return y.sum(0) / known_entries(y, observed).sum(0).clamp_min(1)

    def matched(
        self, other: Output, y: Float[Tensor, "n k"], observed: Known = None
    ) -> tuple[Float[Tensor, "n k"], Known]:
        if not isinstance(other, Real):
            raise InputError(f"the labels are {other.describe()}, and the model estimates {self.describe()}")
        return columns_by_name(self.names, other.names, y, observed)

    def alike(self, y: Float[Tensor, "n k"]) -> Int[Tensor, " n"]:
        """Groups by rank of the mean of the standardised numbers."""
        n = len(y)
        z = (y - y.mean(0)) / y.std(0, correction=0).clamp_min(1e-12)
        return z.mean(1).argsort().argsort() * min(MOST_ALIKE, max(1, n // LEAST_ALIKE)) // n

    def must_teach(self, y: Float[Tensor, "n k"], observed: Known = None) -> None:
        for name, column, known in zip(self.names, y.T, known_entries(y, observed).bool().T, strict=True):
            if len(seen := column[known].unique()) < 2:
                told = f"{seen.item():g} in all samples" if len(seen) else "unknown in all samples"
                raise InputError(f"{name!r} is {told}: give samples that differ in it")

    def describe(self) -> str:
        return described(self.names, "number")

    @property
    def purpose(self) -> str:
        return "It estimates " + described(self.names, "number").split(" (")[0]

    def unit(self, i: int) -> str:
        """What the number is measured in, with the space before it; nothing where that is unknown."""
        return f" {self.units[i]}" if self.units and self.units[i] else ""

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "names": list(self.names), "units": list(self.units)}

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> "Real":
        return cls(names_from_json(saved["names"], "numbers"), tuple(map(str, saved.get("units", ()))))


def numbered(name: str, k: int) -> tuple[str, ...]:
    """Names for k columns without any.

    >>> numbered("y", 1), numbered("y", 2)
    (('y',), ('y1', 'y2'))
    """
    return (name,) if k == 1 else tuple(f"{name}{i}" for i in range(1, k + 1))


def described(names: tuple[str, ...], noun: str) -> str:
    """How many there are, and the first few.

    >>> described(("a", "b", "c", "d"), "label")
    '4 labels (a, b, c, …)'
    """
    some = ", ".join(names[:3]) + ", …" * (len(names) > 3)
    return f"{len(names)} {noun}{'s' * (len(names) != 1)} ({some})"
