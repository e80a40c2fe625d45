"""One of several named classes."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, final

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from ..errors import InputError
from .output import Output

Spelling = Literal["error", "merge", "keep"]


@final
@dataclass(frozen=True)
class Classes(Output):
    """One of several named classes; y holds positions in `names`.

    The loss is the cross-entropy −log softmax(logits)[y].

    >>> birds = Classes(("crow", "owl"))
    >>> birds.encode(["owl", "crow"])
    tensor([1, 0])
    >>> birds.decode(torch.tensor([1]))
    ['owl']
    """

    kind: ClassVar[str] = "classes"
    metrics: ClassVar[tuple[str, ...]] = ("accuracy", "balanced_accuracy")
    task: ClassVar[str] = "Tell apart"
    noun: ClassVar[str] = "classes"
    loss_name: ClassVar[str] = "log loss"

    names: tuple[str, ...]

    @property
    def width(self) -> int:
        return len(self.names)

    def read(
        self, y: Any, observed: Bool[Tensor, " n"] | None = None
    ) -> tuple["Classes", Int[Tensor, " n"], Bool[Tensor, " n"] | None]:
        y = one_column(y)
        if not isinstance(y, Tensor):
            y = self.encode(listed(y))
        elif observed is None:
            self._must_be_codes(y)
        return self, y, observed

    def loss(
        self, logits: Float[Tensor, "n k"], y: Int[Tensor, " n"], observed: Bool[Tensor, " n"] | None = None
    ) -> Float[Tensor, " n"]:
        return cross_entropy(logits, y, reduction="none")

    def expected(self, logits: Float[Tensor, "*r n k"]) -> Float[Tensor, "*r n k"]:
        """P(class | sample), the softmax of the scores."""
        return logits.softmax(-1)

    def answer(self, expected: Float[Tensor, "n k"]) -> Int[Tensor, " n"]:
        """The most probable class."""
        return expected.argmax(1)

    def prior(self, y: Int[Tensor, " n"], observed: Bool[Tensor, " n"] | None = None) -> Float[Tensor, " k"]:
        """log((n_c + 1) / (n + k))"""
        counts = self.counts(y).double()
        return ((counts + 1) / (counts.sum() + len(counts))).log()

    def matched(
        self, other: Output, y: Int[Tensor, " n"], observed: Bool[Tensor, " n"] | None = None
    ) -> tuple[Int[Tensor, " n"], Bool[Tensor, " n"] | None]:
        if not isinstance(other, Classes):
            raise InputError(
                f"the labels are {other.describe()}, and the model tells apart {self.describe()}"
            )
        if unknown := sorted(set(other.names) - set(self.names)):
            raise InputError(
                f"labels {unknown[:5]} are not among the model's classes {list(self.names)[:10]}: "
                "evaluate on the classes that it was fitted with"
            )
        return self.encode(other.decode(y)), observed

    def silenced(self, logits: Float[Tensor, "n k"], y: Int[Tensor, " n"]) -> Float[Tensor, "n k"]:
        strange = (self.counts(y) == 0).nonzero().squeeze(1)
        return logits.index_fill(1, strange, -torch.inf)

    def strata(self, y: Int[Tensor, " n"]) -> Int[Tensor, " n"]:
        return y

    def must_teach(self, y: Int[Tensor, " n"], observed: Bool[Tensor, " n"] | None = None) -> None:
        if self.width < 2:
            raise InputError(
                f"there is only one class, {self.names[0]!r}: give samples of at least two classes"
            )

    def describe(self) -> str:
        return f"{self.width} classes"

    def encode(self, labels: Iterable[Any]) -> Int[Tensor, " n"]:
        position = {name: i for i, name in enumerate(self.names)}
        written = [label_name(label) for label in labels]
        if unknown := sorted(set(written) - set(position)):
            raise InputError(
                f"labels {unknown[:5]} are not among the classes {list(self.names)[:10]}: "
                "give labels of the same classes"
            )
        return torch.tensor([position[label] for label in written], dtype=torch.long)

    def decode(self, y: Int[Tensor, " n"]) -> list[str]:
        return [self.names[i] for i in y.tolist()]

    def counts(self, y: Int[Tensor, " n"]) -> Int[Tensor, " k"]:
        return torch.bincount(y, minlength=self.width)

    @property
    def purpose(self) -> str:
        return f"It tells apart {self.width} classes"

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "names": list(self.names)}

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> "Classes":
        return cls(names_from_json(saved["names"], "classes"))

    def _must_be_codes(self, y: Tensor) -> None:
        """y has to hold positions in the names."""
        if y.is_floating_point() or (len(y) and (int(y.min()) < 0 or int(y.max()) >= self.width)):
            raise InputError(
                f"y holds {y.min().item()} … {y.max().item()}, and the output has {self.width} classes: "
                f"give whole numbers from 0 to {self.width - 1}, or the names themselves"
            )


def names_from_json(names: Any, what: str) -> tuple[str, ...]:
    """Names of classes or labels that a file tells."""
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names) or not names:
        raise InputError(f"{what} need names, each a text and none twice: save the model again")
    return tuple(names)


def one_column(y: Any) -> Any:
    """Labels in one column: n × 1 is as good as n."""
    y = y if hasattr(y, "shape") else list(y)
    if isinstance(y, list) and any(isinstance(label, list | tuple) for label in y):
        y = np.array(y, dtype=object)
    shape = (len(y),) if isinstance(y, list) else tuple(y.shape)
    if len(shape) == 1:
        return y
    if not shape or any(k != 1 for k in shape[1:]):
        raise InputError(f"y has shape {shape}: give one label for each sample")
    return y.reshape(-1) if isinstance(y, Tensor) else np.asarray(y).reshape(-1)


def listed(values: Any) -> Sequence[Any]:
    """The values of an array or a tensor, or of anything else that has some, in Python's own types."""
    found: Sequence[Any] = values.tolist() if hasattr(values, "tolist") else list(values)
    return found


def label_name(label: Any) -> str:
    """A label as its name: 3.0 and 3 are "3", True is "True", anything else is its text."""
    if hasattr(label, "item"):
        label = label.item()
    if label is None or (isinstance(label, float) and label != label):
        raise InputError(
            "a label is missing (None or NaN): leave the row out, or put it into an unlabelled domain"
        )
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)


def classes_of(labels: Sequence[Any], spelling: Spelling = "error") -> tuple[Classes, list[str]]:
    """The classes among the labels, in natural order, and every label as its class's name.

    Two spellings that differ only by Unicode form, case or surrounding space are an error,
    unless `spelling` says "keep", or "merge", and then the more frequent spelling names the class.

    >>> classes_of([10, 9, 9])[0].names
    ('9', '10')
    >>> classes_of(["Owl", "owl", "owl", "crow"], spelling="merge")[0].names
    ('crow', 'owl')
    >>> classes_of(["Owl", "owl"])
    Traceback (most recent call last):
    regraft.errors.InputError: labels 'Owl' and 'owl' differ only by case, space or Unicode form: \
merge them (--merge-labels) or keep them apart (--keep-labels)
    """
    written = [label_name(label) for label in labels]
    count: dict[str, int] = {}
    for name in written:
        count[name] = count.get(name, 0) + 1
    named = {name: name for name in count}
    for spellings in spelled_alike(count):
        if spelling == "error":
            raise InputError(
                f"labels {' and '.join(map(repr, spellings))} differ only by case, space or Unicode form: "
                "merge them (--merge-labels) or keep them apart (--keep-labels)"
            )
        if spelling == "merge":
            best = max(spellings, key=lambda name: count[name])
            named.update(dict.fromkeys(spellings, best))
    names = sorted(set(named.values()), key=_natural)
    return Classes(tuple(names)), [named[name] for name in written]


def spelled_alike(names: Iterable[str]) -> list[list[str]]:
    """The names that differ only by Unicode form, case or surrounding space, together.

    >>> spelled_alike(["owl", "crow", "Owl "])
    [['Owl ', 'owl']]
    """
    alike: dict[str, list[str]] = {}
    for name in sorted(names):
        alike.setdefault(unicodedata.normalize("NFKC", name).casefold().strip(), []).append(name)
    return [spellings for spellings in alike.values() if len(spellings) > 1]


def _natural(name: str) -> tuple[bool, float, str]:
    """Numbers by value, before words by letter."""
    try:
        value = float(name)
    except ValueError:
        return (True, 0.0, name)
    return (False, value, name) if value == value else (True, 0.0, name)
