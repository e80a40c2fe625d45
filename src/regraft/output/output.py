"""What every kind of answer has to say of itself."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


class Output(ABC):
    """The kind of answer that is asked for; `OUTPUTS` lists them.

    A head puts out `width` numbers a sample, its scores. What they mean is `expected` (probabilities, or
    values), and the y that follows is `answer`. y holds codes, one row a sample: `read` makes them of what
    the user gives, and `decode` goes back.

    metrics: what a choice may be made by, the usual one first. task: what a model does, in words.
    noun: what is asked for, in the plural. loss_name: what the loss is called. names: of what is asked.
    """

    kind: ClassVar[str]
    metrics: ClassVar[tuple[str, ...]]
    task: ClassVar[str]
    noun: ClassVar[str]
    loss_name: ClassVar[str]
    names: tuple[str, ...]

    @property
    @abstractmethod
    def width(self) -> int:
        """How many numbers a head puts out."""

    @abstractmethod
    def read(
        self, y: Any, observed: Bool[Tensor, "n ..."] | None = None
    ) -> tuple["Output", Tensor, Bool[Tensor, "n ..."] | None]:
        """(the output, with what y tells of it; y as codes; which entries are known, None for all).

        InputError where y holds something else.
        """

    @abstractmethod
    def loss(
        self, logits: Tensor, y: Tensor, observed: Bool[Tensor, "n ..."] | None = None
    ) -> Float[Tensor, " n"]:
        """The loss of each sample, the mean over its entries that are known."""

    @abstractmethod
    def expected(self, logits: Float[Tensor, "*r n k"]) -> Float[Tensor, "*r n k"]:
        """E[y | x] by these scores: probabilities of what is named, values of what is measured.

        What several fits say of a sample is averaged here, and not as scores.
        """

    @abstractmethod
    def answer(self, expected: Float[Tensor, "n k"]) -> Tensor:
        """The y that it comes to."""

    @abstractmethod
    def decode(self, y: Tensor) -> list[Any]:
        """Codes to what the user calls them, JSON-able."""

    @abstractmethod
    def prior(self, y: Tensor, observed: Bool[Tensor, "n ..."] | None = None) -> Float[Tensor, " k"]:
        """The scores that fit these y best, whatever x is: what looks at nothing puts out."""

    @abstractmethod
    def matched(
        self, other: "Output", y: Tensor, observed: Bool[Tensor, "n ..."] | None = None
    ) -> tuple[Tensor, Bool[Tensor, "n ..."] | None]:
        """(y, observed) of another output as codes of this one, matched by name.

        InputError where the other is of another kind, or has names that this one lacks.
        """

    def silenced(self, logits: Float[Tensor, "n k"], y: Tensor) -> Float[Tensor, "n k"]:
        """The scores without what a fit that has seen no other y than these cannot say."""
        return logits

    def strata(self, y: Tensor) -> Int[Tensor, " n"]:
        """Which samples are alike for whoever draws folds: a class has to be on both sides of one."""
        return torch.zeros(len(y), dtype=torch.long)

    def alike(self, y: Tensor) -> Int[Tensor, " n"]:
        """Which samples have about the same answer, so that their features may lie together."""
        return self.strata(y)

    def must_teach(self, y: Tensor, observed: Bool[Tensor, "n ..."] | None = None) -> None:
        """InputError where these y are all the same, so that there is nothing to learn from them."""
        return

    @abstractmethod
    def describe(self) -> str:
        """What is asked, in a few words."""

    @property
    @abstractmethod
    def purpose(self) -> str:
        """What a model is for, as a sentence that the names complete."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """What `from_json` needs."""

    @classmethod
    @abstractmethod
    def from_json(cls, saved: dict[str, Any]) -> "Output":
        """The output that `to_json` described."""
