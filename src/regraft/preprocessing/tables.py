"""Columns of a table as numbers: scaled, one-hot, missing values filled, all fitted to the training fold."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import InputError
from ..readers.cells import MISSING, is_missing, number
from ..readers.tables import Table
from ..samples import Samples
from . import Preprocessing

MOST_CATEGORIES = 50  # of a column; rarer values become all zeros
NUMBER, MISSED = -2, -3  # kinds of what comes out, beside the places of categories


@final
@dataclass(frozen=True, eq=False)
class TablePreprocessing(Preprocessing):
    """Numbers as (x − median) / deviation, categories one-hot, and a column for "was missing" where any was.

    Which columns are numeric the table tells. A missing number becomes the median; a category that
    training never showed, or that is not among the 50 most frequent, becomes all zeros.

    >>> rule = TablePreprocessing().fit(Table(("a", "b"), [["1", "x"], ["3", "y"], ["", "x"]]))
    >>> rule.columns
    ['a', 'a is missing', 'b = x', 'b = y']
    >>> rule(Table(("b", "a"), [["y", "?"]])).tolist()
    [[0.0, 1.0, 0.0, 1.0]]
    """

    kind: ClassVar[str] = "table"

    # one entry a column: its name, whether it is numeric, its categories, whether it was ever missing
    plan: tuple[dict[str, Any], ...] = ()
    numbers: Float[Tensor, "c 2"] | None = None  # median and deviation of each numeric column

    @property
    def fitted(self) -> bool:
        return self.numbers is not None

    @property
    def columns(self) -> list[str]:
        """What each number that comes out means."""
        named: list[str] = []
        for column in self.plan:
            if column["numeric"]:
                named.append(column["name"])
            named += [f"{column['name']} is missing"] if column["missing"] else []
            named += [f"{column['name']} = {value}" for value in column["categories"]]
        return named

    def fit(self, x: Tensor | Samples) -> "TablePreprocessing":
        table = _table(x)
        assert table.numeric is not None
        plan, scales = [], []
        for name in table.columns:
            cells = table.column(name)
            missing = any(map(is_missing, cells))
            if name in table.numeric and not all(map(is_missing, cells)):
                numbers = _numbers(table, name)
                seen = numbers[~np.isnan(numbers)]
                deviation = float(np.std(seen))
                scales.append([float(np.median(seen)), deviation if deviation > 0 else 1.0])
                plan.append({"name": name, "numeric": True, "categories": [], "missing": missing})
                continue
            counts: dict[str, int] = {}
            for cell in cells:
                if not is_missing(cell):
                    counts[cell.strip()] = counts.get(cell.strip(), 0) + 1
            frequent = sorted(counts, key=lambda value: (-counts[value], value))[:MOST_CATEGORIES]
            plan.append({"name": name, "numeric": False, "categories": sorted(frequent), "missing": missing})
        return TablePreprocessing(tuple(plan), torch.tensor(scales, dtype=torch.float64).reshape(-1, 2))

    def __call__(self, x: Tensor | Samples) -> Float[Tensor, "n d"]:
        if self.numbers is None:
            raise InputError("the table's columns are not fitted yet: call fit with the training rows")
        table = _table(x)
        if absent := [c["name"] for c in self.plan if c["name"] not in table.columns]:
            raise InputError(
                f"the table lacks {len(absent)} columns that the model was fitted with, first {absent[0]!r}: "
                "give the same columns (their order does not matter)"
            )
        return self.encoded(torch.from_numpy(self.codes(table)))

    def codes(self, table: Table) -> Float[np.ndarray, "n c"]:
        """One number a cell: a number itself, of a category its place or −1, NaN where it is missing."""
        made = [np.zeros((len(table), 0))]
        for column in self.plan:
            if column["numeric"]:
                made.append(_numbers(table, column["name"])[:, None])
                continue
            place = {value: float(k) for k, value in enumerate(column["categories"])}
            cells = table.column(column["name"])
            found = [math.nan if is_missing(cell) else place.get(cell.strip(), -1.0) for cell in cells]
            made.append(np.array(found, dtype=np.float64)[:, None])
        return np.concatenate(made, axis=1)

    def encoded(self, codes: Float[Tensor, "n c"]) -> Float[Tensor, "n d"]:
        """What `columns` names, of the codes; nothing but operations on tensors, so that a graph can hold it.

        >>> rule = TablePreprocessing().fit(Table(("a", "b"), [["1", "x"], ["3", "y"], ["", "x"]]))
        >>> rule.encoded(torch.tensor([[4.0, 0.0], [torch.nan, -1.0]], dtype=torch.float64)).tolist()
        [[2.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0]]
        """
        assert self.numbers is not None
        numeric = iter(self.numbers.tolist())
        source, kind, scale = [], [], []
        for i, column in enumerate(self.plan):
            if column["numeric"]:
                source.append(i)
                kind.append(NUMBER)
                scale.append(next(numeric))
            of_column = [MISSED] * column["missing"] + list(range(len(column["categories"])))
            source += [i] * len(of_column)
            kind += of_column
            scale += [[0.0, 1.0]] * len(of_column)
        v, which = codes[:, source], torch.tensor(kind, dtype=torch.float64)
        median, deviation = torch.tensor(scale, dtype=torch.float64).reshape(-1, 2).T
        missing = torch.isnan(v)
        number = (torch.where(missing, median, v) - median) / deviation
        told = torch.where(which == MISSED, missing.double(), (v == which).double())
        return torch.where(which == NUMBER, number, told)

    @property
    def reading(self) -> dict[str, Any]:
        return {"missing": sorted(MISSING), "categories": "without the space around them"}

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "plan": list(self.plan)}

    def tensors(self) -> dict[str, Tensor]:
        return {} if self.numbers is None else {"numbers": self.numbers}

    @classmethod
    def from_json(cls, saved: dict[str, Any], tensors: dict[str, Tensor]) -> "TablePreprocessing":
        return cls(tuple(saved["plan"]), tensors["numbers"])


def _table(x: Tensor | Samples) -> Table:
    if not isinstance(x, Table):
        raise InputError(f"this model takes rows of a table, and the samples are {type(x).__name__}")
    return x


def _numbers(table: Table, name: str) -> Float[np.ndarray, " n"]:
    """The cells of a numeric column, NaN where they are missing."""
    values: list[float] = []
    for cell, row in zip(table.column(name), table.numbers, strict=True):
        value = number(cell)
        if value is None:
            raise InputError(
                f"column {name!r} was numeric in training, and row {row} now holds {cell!r}: "
                "give a finite number or leave the cell empty"
            )
        values.append(value)
    return np.array(values, dtype=np.float64)
