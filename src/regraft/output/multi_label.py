"""Several labels, of which any number apply."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, final

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from ..errors import InputError
from .classes import classes_of, names_from_json
from .entries import Known, columns_by_name, known_entries, mean_of_known, read_numbers
from .output import Output
from .real import described, numbered


@final
@dataclass(frozen=True)
class MultiLabel(Output):
    """Several labels, of which any number apply; y holds a 1 for each that does and a 0 for others, n × k.

    names: of the labels; read off y where they are not given. y is given as the labels of each sample, or as
    rows of 0 and 1, with None or NaN where it is unknown. Unknown entries count neither in the loss, which is
    the mean over the known of −log σ(±score), nor in a score.

    >>> from regraft.domain import Domain
    >>> photos = Domain([[0.0], [1.0], [2.0]], [["cat", "dog"], [], ["dog"]], MultiLabel())
    >>> photos.output.names, photos.y.tolist()
    (('cat', 'dog'), [[1.0, 1.0], [0.0, 0.0], [0.0, 1.0]])
    >>> photos.output.decode(photos.y)
    [['cat', 'dog'], [], ['dog']]
    """

    kind: ClassVar[str] = "multilabel"
    metrics: ClassVar[tuple[str, ...]] = ("label_accuracy", "balanced_label_accuracy")
    task: ClassVar[str] = "Say which apply"
    noun: ClassVar[str] = "labels"
    loss_name: ClassVar[str] = "log loss"

    names: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        return len(self.names)

    def read(self, y: Any, observed: Known = None) -> tuple["MultiLabel", Float[Tensor, "n k"], Known]:
        if isinstance(y, Sequence) and _are_sets(y):
            names, y = self._indicators(y)
            return replace(self, names=names), y, observed
        called = getattr(y, "columns", None)
        y, observed = read_numbers(y, observed, "0 or 1")
        k = y.shape[1]
        names = self.names or (tuple(map(str, called)) if called is not None else numbered("label ", k))
        if len(names) != k or len(set(names)) < k:
            raise InputError(f"y has {k} columns, and the labels are called {list(names)}: name each once")
        if not ((y == 0) | (y == 1)).all():
            strange = y[(y != 0) & (y != 1)][0].item()
            raise InputError(f"y holds {strange:g}: give 1 for a label that applies, 0 for one that does not")
        return replace(self, names=names), y, observed

    def loss(
        self, logits: Float[Tensor, "n k"], y: Float[Tensor, "n k"], observed: Known = None
    ) -> Float[Tensor, " n"]:
        each = binary_cross_entropy_with_logits(logits, y.to(logits.dtype), reduction="none")
        return mean_of_known(each, observed)

    def expected(self, logits: Float[Tensor, "*r n k"]) -> Float[Tensor, "*r n k"]:
        """P(label | sample), the logistic function of each score."""
        return logits.sigmoid()

    def answer(self, expected: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        """The labels that are more probable than not."""
        return (expected > 0.5).double()

    def decode(self, y: Float[Tensor, "n k"]) -> list[list[str]]:
        """The names of the labels that apply."""
        return [[self.names[i] for i, applies in enumerate(row) if applies > 0.5] for row in y.tolist()]

    def prior(self, y: Float[Tensor, "n k"], observed: Known = None) -> Float[Tensor, " k"]:
        """log((n₁ + 1) / (n₀ + 1)), of the n₁ samples that have the label and the n₀ that do not."""
        known = known_entries(y, observed)
        return ((y.sum(0) + 1) / ((known - y).sum(0) + 1)).log()

    def matched(
        self, other: Output, y: Float[Tensor, "n k"], observed: Known = None
    ) -> tuple[Float[Tensor, "n k"], Known]:
        if not isinstance(other, MultiLabel):
            raise InputError(f"the labels are {other.describe()}, and the model knows {self.describe()}")
        return columns_by_name(self.names, other.names, y, observed)

    def alike(self, y: Float[Tensor, "n k"]) -> Int[Tensor, " n"]:
        """By the rarest label that applies."""
        rare = y.sum(0).argsort()
        ranked = torch.cat([y[:, rare], torch.ones(len(y), 1, dtype=y.dtype)], 1)
        return ranked.argmax(1)

    def must_teach(self, y: Float[Tensor, "n k"], observed: Known = None) -> None:
        known = known_entries(y, observed)
        if not ((y.sum(0) > 0) & ((known - y).sum(0) > 0)).any():
            raise InputError(
                f"no label of {list(self.names)[:5]} applies to some samples and not to others: "
                "give samples that differ"
            )

    def describe(self) -> str:
        return described(self.names, "label")

    @property
    def purpose(self) -> str:
        return f"It says which of {self.width} labels apply"

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "names": list(self.names)}

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> "MultiLabel":
        return cls(names_from_json(saved["names"], "labels"))

    def _indicators(self, y: Sequence[Any]) -> tuple[tuple[str, ...], Float[Tensor, "n k"]]:
        told = [label for labels in y for label in labels]
        if not told and not self.names:
            raise InputError("no sample has a label: give the labels of each")
        classes, written = classes_of(told) if told else (None, [])
        names = self.names or (classes.names if classes else ())
        if unknown := sorted(set(written) - set(names)):
            raise InputError(f"labels {unknown[:5]} are not among {list(names)[:10]}: give the same labels")
        made, at = torch.zeros(len(y), len(names), dtype=torch.float64), iter(written)
        for row, labels in enumerate(y):
            for _ in labels:
                made[row, names.index(next(at))] = 1.0
        return names, made


def _are_sets(y: Sequence[Any]) -> bool:
    """Whether y holds the names of labels, and not 0 and 1 for each."""
    if any(isinstance(labels, str) for labels in y):
        raise InputError(
            f"y holds the text {next(v for v in y if isinstance(v, str))!r}: give a list of labels a sample"
        )
    some = [label for labels in y if isinstance(labels, list | tuple | set | frozenset) for label in labels]
    if not some:
        return any(isinstance(labels, list | tuple | set | frozenset) for labels in y)
    return any(isinstance(label, str) for label in some)
