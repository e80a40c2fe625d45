"""One of several named classes for every pixel of a picture."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any, ClassVar, final

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, cross_entropy, interpolate, one_hot

from ..errors import InputError
from .classes import names_from_json
from .output import Output

VOID = 255  # of a pixel that nobody judges, as in Pascal VOC
COARSE = 16  # places a side at which `prior` tells classes apart

LabelMaps = UInt8[Tensor, "n h w"]


@final
@dataclass(frozen=True)
class Mask(Output):
    """One of several named classes for every pixel; y holds n × h × w positions in `names`, or 255 (void).

    Scores are n × k × h′ × w′, of as many places as a head has; they are enlarged bilinearly to the size of
    the mask. The loss of a picture is the mean cross-entropy of its pixels, those that are void left out.
    Entries that are not `observed` become void.

    >>> birds = Mask(("background", "owl"))
    >>> _, y, _ = birds.read([[[0, 1], [1, 255]]])
    >>> scores = torch.tensor([[[[0.0, 0.0], [0.0, 0.0]], [[0.0, 1.0], [1.0, 9.0]]]])
    >>> birds.answer(birds.expected(scores)).tolist()
    [[[0, 1], [1, 1]]]
    >>> birds.decode(y)  # runs of equal pixels, row by row
    [[['background', 1], ['owl', 2], [None, 1]]]
    """

    kind: ClassVar[str] = "mask"
    metrics: ClassVar[tuple[str, ...]] = ("mean_iou", "pixel_accuracy")
    task: ClassVar[str] = "Mask"
    loss_name: ClassVar[str] = "log loss"
    noun: ClassVar[str] = "classes"

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if not 0 < len(self.names) <= VOID or len(set(self.names)) < len(self.names):
            raise InputError(
                f"masks of {len(self.names)} classes were asked for: "
                f"give 1 to {VOID} names, none twice ({VOID} marks void pixels)"
            )

    @property
    def width(self) -> int:
        return len(self.names)

    def read(self, y: Any, observed: Bool[Tensor, "n h w"] | None = None) -> tuple["Mask", LabelMaps, None]:
        codes = torch.as_tensor(y)
        if codes.ndim != 3 or codes.is_floating_point() or codes.is_complex():
            raise InputError(
                f"masks have shape {tuple(codes.shape)} and hold {codes.dtype}: "
                "give n × height × width whole numbers, the class of every pixel"
            )
        beyond = (codes < 0) | ((codes >= self.width) & (codes != VOID))
        if beyond.any():
            raise InputError(
                f"masks hold {int(codes[beyond][0])}, and there are {self.width} classes: "
                f"give 0 to {self.width - 1}, and {VOID} for void"
            )
        codes = codes.to(torch.uint8)
        return self, codes if observed is None else codes.where(observed, VOID), None

    def loss(
        self, logits: Float[Tensor, "n k h2 w2"], y: LabelMaps, observed: Bool[Tensor, "n h w"] | None = None
    ) -> Float[Tensor, " n"]:
        known = y != VOID
        each = cross_entropy(to_size(logits, y.shape[1:]), y.long().where(known, 0), reduction="none")
        return (each * known).sum((1, 2)) / known.sum((1, 2)).clamp_min(1)

    def expected(self, logits: Float[Tensor, "*r n k h w"]) -> Float[Tensor, "*r n k h w"]:
        """P(class | place), the softmax of the scores."""
        return logits.softmax(-3)

    def answer(self, expected: Float[Tensor, "n k h w"]) -> LabelMaps:
        """The most probable class of every place."""
        return expected.argmax(-3).to(torch.uint8)

    def prior(self, y: LabelMaps, observed: Bool[Tensor, "n h w"] | None = None) -> Float[Tensor, "k h w"]:
        """log((Σᵢ a_c(i, p) + s_c) / (Σᵢ a(i, p) + 1)) for each of 16 × 16 places p

        a_c(i, p) is the share of place p that picture i gives to class c, a(i, p) what is not void, and s_c
        = (pixels of c + 1) / (pixels + k): one picture more, which has every class everywhere.
        """
        area = torch.zeros(self.width, COARSE, COARSE, dtype=torch.float64)
        for some in y.split(64):
            of_class = one_hot(some.long().where(some != VOID, self.width), self.width + 1)[..., :-1]
            area += adaptive_avg_pool2d(of_class.permute(0, 3, 1, 2).double(), COARSE).sum(0)
        counts = self.pixels(y).double()
        overall = (counts + 1) / (counts.sum() + self.width)
        return ((area + overall[:, None, None]) / (area.sum(0) + 1)).log()

    def matched(
        self, other: Output, y: LabelMaps, observed: Bool[Tensor, "n h w"] | None = None
    ) -> tuple[LabelMaps, None]:
        if not isinstance(other, Mask):
            raise InputError(f"the labels are {other.describe()}, and the model gives {self.describe()}")
        if unknown := sorted(set(other.names) - set(self.names)):
            raise InputError(
                f"classes {unknown[:5]} are not among the model's {list(self.names)[:10]}: "
                "evaluate on the classes that it was fitted with"
            )
        code = torch.full((VOID + 1,), VOID, dtype=torch.uint8)
        code[: other.width] = torch.tensor([self.names.index(name) for name in other.names])
        return code[y.long()], None

    def silenced(self, logits: Float[Tensor, "n k h w"], y: LabelMaps) -> Float[Tensor, "n k h w"]:
        strange = (self.pixels(y) == 0).nonzero().squeeze(1)
        return logits.index_fill(1, strange, -torch.inf)

    def must_teach(self, y: LabelMaps, observed: Bool[Tensor, "n h w"] | None = None) -> None:
        seen = [name for name, pixels in zip(self.names, self.pixels(y).tolist(), strict=True) if pixels]
        if len(seen) < 2:
            raise InputError(
                f"the masks show {f'only {seen[0]!r}' if seen else 'void pixels only'}: "
                "give masks of at least two classes"
            )

    def pixels(self, y: LabelMaps) -> Int[Tensor, " k"]:
        """How many pixels each class has."""
        return torch.bincount(y[y != VOID].flatten().int(), minlength=self.width)

    def decode(self, y: LabelMaps) -> list[list[list[Any]]]:
        """Runs of equal pixels, row by row, as [class, length]; None stands for void."""
        called = {**dict(enumerate(self.names)), VOID: None}
        return [
            [[called[code], len(list(run))] for code, run in groupby(row)] for row in y.flatten(1).tolist()
        ]

    def describe(self) -> str:
        return f"masks of {self.width} classes"

    @property
    def purpose(self) -> str:
        return f"It gives every pixel one of {self.width} classes"

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "names": list(self.names)}

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> "Mask":
        return cls(names_from_json(saved["names"], "classes"))


def to_size(z: Float[Tensor, "n k h w"], size: Any) -> Float[Tensor, "n k h2 w2"]:
    """A map at another resolution, bilinearly."""
    return interpolate(z, size=tuple(size), mode="bilinear", align_corners=False)
