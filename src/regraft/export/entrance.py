"""Where samples enter a graph: which part of the preprocessing is in it, and which has to come before."""

from abc import ABC, abstractmethod
from typing import final

import numpy as np
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from ..errors import InputError
from ..preprocessing import AsTheyAre, Preprocessing
from ..preprocessing.images import ImagePreprocessing
from ..preprocessing.tables import TablePreprocessing
from ..preprocessing.tokens import takes_texts
from ..preprocessing.vectors import Standardised
from ..readers import Table
from ..samples import Samples


class Entrance(nn.Module, ABC):
    """A preprocessing in two: `array` is done before the graph, `forward` in it.

    holds: what the graph's input is, for whoever has to make it without Regraft.
    """

    holds: str

    @abstractmethod
    def array(self, x: Tensor | Samples) -> np.ndarray:
        """What the graph is fed for these samples."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """From there to what the preprocessing makes of them."""


@final
class Pixels(Entrance):
    """Decoded and scaled before; in the graph the first stage of the network normalises."""

    def __init__(self, rule: ImagePreprocessing) -> None:
        super().__init__()
        self.rule = rule
        height, width = rule.size
        colour = "grey" if rule.colour == "grey" else "red, green, blue"
        self.holds = f"pixels from 0 to 255 ({colour}, channels last), scaled and cropped to {width}×{height}"

    def array(self, x: Tensor | Samples) -> UInt8[np.ndarray, "n h w c"]:
        return np.ascontiguousarray(self.rule(x).permute(0, 2, 3, 1).numpy())

    def forward(self, x: UInt8[Tensor, "n h w c"]) -> UInt8[Tensor, "n c h w"]:
        return x.permute(0, 3, 1, 2)


@final
class Vectors(Entrance):
    """All of it is in the graph."""

    holds = "the columns of a sample as they are, in the order of the training samples; finite numbers"
    mean: Tensor
    deviation: Tensor

    def __init__(self, rule: Standardised) -> None:
        super().__init__()
        self.rule = rule
        for name, column in rule.tensors().items():
            self.register_buffer(name, column)

    def array(self, x: Tensor | Samples) -> Float[np.ndarray, "n d"]:
        self.rule(x)  # which refuses what it was not fitted to
        return np.asarray(x, dtype=np.float64).reshape(len(x), -1)

    def forward(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        return (x - self.mean) / self.deviation


@final
class Cells(Entrance):
    """Texts become numbers before; in the graph gaps are filled, numbers scaled, categories one-hot."""

    holds = (
        "one number for each column of preprocessing.plan, in that order: the number itself; of a category "
        "its place in the column's categories, counted from 0, or -1 where it is not among them; NaN where "
        "the cell is missing (reading.missing, in any case, space around it ignored)"
    )

    def __init__(self, rule: TablePreprocessing) -> None:
        super().__init__()
        self.rule = rule

    def array(self, x: Tensor | Samples) -> Float[np.ndarray, "n c"]:
        self.rule(x)  # which refuses what it was not fitted to
        assert isinstance(x, Table)
        return self.rule.codes(x)

    def forward(self, x: Float[Tensor, "n c"]) -> Float[Tensor, "n d"]:
        return self.rule.encoded(x)


@final
class Tensors(Entrance):
    """Nothing is done, neither before nor in the graph."""

    holds = "a sample as the network takes it"

    def array(self, x: Tensor | Samples) -> np.ndarray:
        return AsTheyAre()(x).numpy()

    def forward(self, x: Tensor) -> Tensor:
        return x


def must_be_numbers(preprocessing: Preprocessing) -> None:
    """InputError where samples are texts, whose words become numbers outside of any graph."""
    if takes_texts(preprocessing):
        raise InputError(
            "models of texts cannot be exported: how words become numbers is in no graph; use Regraft"
        )


def entrance_of(preprocessing: Preprocessing) -> Entrance:
    """The entrance that belongs to a preprocessing.

    >>> import torch
    >>> entrance = entrance_of(Standardised().fit(torch.tensor([[0.0], [2.0]])))
    >>> entrance(torch.from_numpy(entrance.array(torch.tensor([[4.0]])))).item()
    3.0
    """
    must_be_numbers(preprocessing)
    if isinstance(preprocessing, ImagePreprocessing):
        return Pixels(preprocessing)
    if isinstance(preprocessing, Standardised):
        return Vectors(preprocessing)
    if isinstance(preprocessing, TablePreprocessing):
        return Cells(preprocessing)
    return Tensors()
