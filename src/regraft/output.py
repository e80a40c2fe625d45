"""What kind of answer a domain's labels are: each kind owns its loss, its metrics and its names."""

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, final

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from .errors import InputError

Spelling = Literal["error", "merge", "keep"]


class Output(ABC):
    """The kind of answer that is asked for. `Classes` is the first; others join `OUTPUTS`."""

    kind: ClassVar[str]

    @property
    @abstractmethod
    def width(self) -> int:
        """How many numbers a head puts out."""

    @abstractmethod
    def loss(self, logits: Tensor, y: Tensor) -> Float[Tensor, " n"]:
        """The loss of each sample."""

    @abstractmethod
    def decode(self, y: Tensor) -> list[Any]:
        """Codes to what the user calls them."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """What `from_json` needs."""


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

    names: tuple[str, ...]

    @property
    def width(self) -> int:
        return len(self.names)

    def loss(self, logits: Float[Tensor, "n k"], y: Int[Tensor, " n"]) -> Float[Tensor, " n"]:
        return cross_entropy(logits, y, reduction="none")

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

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "names": list(self.names)}


OUTPUTS: dict[str, type[Output]] = {Classes.kind: Classes}


def output_from_json(saved: dict[str, Any]) -> Output:
    """The output that `to_json` described; the list of kinds is closed."""
    if saved.get("kind") == Classes.kind:
        names = saved["names"]
        if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names) or not names:
            raise InputError("classes need names, each a text and none twice: save the model again")
        return Classes(tuple(names))
    raise InputError(f"output of kind {saved.get('kind')!r} is unknown; known: {sorted(OUTPUTS)}")


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
