"""From the text of label columns to what is asked: classes, numbers, or several labels."""

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from torch import Tensor

from ..errors import InputError
from ..output import MultiLabel, Output, Real, Spelling, classes_of
from .cells import is_missing, number

Task = Literal["classes", "real", "multilabel"]
Columns = Mapping[str, Sequence[str]]  # of labels, by name, as text

FEW_NUMBERS = 20  # different whole numbers up to which they are names of classes, whatever else
FEW_OF_EACH = 5  # samples of each of more numbers, on average, below which these are amounts
BETWEEN = ";"  # what stands between the labels of one cell


def columns_named(label: str | Sequence[str], columns: Sequence[str]) -> tuple[str, ...]:
    """The label columns that are meant: a list, one name, or several with commas between them.

    >>> columns_named("a, b", ["a", "b"]), columns_named("a,b", ["a,b"])
    (('a', 'b'), ('a,b',))
    """
    if not isinstance(label, str):
        return tuple(label)
    if label in columns or "," not in label:
        return (label,)
    return tuple(name.strip() for name in label.split(",") if name.strip())


def task_of(where: str, columns: Columns, task: str | None = None) -> Task:
    """What the label columns ask for, unless `task` says it.

    One column names classes, unless its cells are all numbers and some have a fraction, or there are more
    than 20 different ones with fewer than five samples each: those are amounts. Several columns are labels
    that apply (1) or not (0), or numbers. Where numbers could be meant otherwise a warning says how they are
    taken.

    >>> task_of("birds.csv", {"species": ["owl", "crow"]}), task_of("birds.csv", {"eggs": ["1", "2"]})
    ('classes', 'classes')
    >>> task_of("birds.csv", {"wings": ["1", "0"], "claws": ["1", ""]})
    'multilabel'
    """
    if task is not None:
        if task not in get_args(Task):
            raise InputError(f"task {task!r} is unknown: it is one of {', '.join(get_args(Task))}")
        if task == "classes" and len(columns) > 1:
            raise InputError(
                f"{where}: {len(columns)} columns ({_listed(columns)}) cannot name one class: name one"
            )
        told: Task = task  # type: ignore[assignment]
        return told
    filled = {name: [cell for cell in cells if not is_missing(cell)] for name, cells in columns.items()}
    if len(columns) > 1:
        return _of_several(where, filled)
    (name, cells), values = (
        next(iter(filled.items())),
        [number(cell) for column in filled.values() for cell in column],
    )
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values) or len(known) < sum(bool(c.strip()) for c in columns[name]):
        return "classes"  # a word, or "none", is a name
    different = len(set(known))
    if any(not value.is_integer() for value in known):
        _say(where, name, "an amount, for it holds fractions", "classes takes every number for a class")
        return "real"
    if different > FEW_NUMBERS and len(cells) < FEW_OF_EACH * different:
        _say(
            where,
            name,
            f"an amount, for it holds {different} different numbers",
            "classes takes each for a class",
        )
        return "real"
    if different > FEW_NUMBERS:
        _say(where, name, f"the names of {different} classes", "real takes its numbers for amounts")
    return "classes"


def known_rows(task: Task, columns: Columns) -> list[int]:
    """The rows of which something is known."""
    unknown = _blank if task == "classes" or (len(columns) == 1 and task == "multilabel") else is_missing
    rows = zip(*columns.values(), strict=True)
    return [i for i, cells in enumerate(rows) if not all(map(unknown, cells))]


def answers_of(
    where: str, columns: Columns, task: Task, spelling: Spelling = "error"
) -> tuple[Output, Tensor, Tensor | None]:
    """(the output, y, which entries of y are known) of rows of which something is known.

    The labels of one cell are separated by ";", and a ";" alone is none of them.

    >>> output, y, _ = answers_of("photos.csv", {"shows": ["cat;dog", ";", "dog"]}, "multilabel")
    >>> output.names, y.tolist()
    (('cat', 'dog'), [[1.0, 1.0], [0.0, 0.0], [0.0, 1.0]])
    """
    if task == "classes":
        (cells,) = columns.values()
        classes, names = classes_of(cells, spelling)
        return classes, classes.encode(names), None
    if task == "multilabel" and len(columns) == 1:
        (cells,) = columns.values()
        told = [[label.strip() for label in cell.split(BETWEEN) if label.strip()] for cell in cells]
        return MultiLabel().read(told)
    numbers = {name: _numbers(where, name, cells) for name, cells in columns.items()}
    output = Real(tuple(columns)) if task == "real" else MultiLabel(tuple(columns))
    return output.read(list(zip(*numbers.values(), strict=True)))


def _of_several(where: str, filled: Columns) -> Task:
    for name, cells in filled.items():
        if strange := next((cell for cell in cells if number(cell) is None), None):
            raise InputError(
                f"{where}: {name!r} holds {strange!r}, and several label columns hold numbers, or 1 where "
                "a label applies and 0 where not: name one label column, or fill them so"
            )
    values = {number(cell) for cells in filled.values() for cell in cells}
    return "multilabel" if values <= {0.0, 1.0} else "real"


def _numbers(where: str, name: str, cells: Sequence[str]) -> list[float]:
    made = []
    for cell in cells:
        value = number(cell)
        if value is None:
            raise InputError(
                f"{where}: the label column {name!r} holds {cell!r}: give a finite number, or nothing"
            )
        made.append(math.nan if is_missing(cell) else value)
    return made


def _say(where: str, name: str, taken: str, otherwise: str) -> None:
    warnings.warn(f"{where}: the label {name!r} is taken for {taken}; --task {otherwise}", stacklevel=4)


def _blank(cell: str) -> bool:
    return not cell.strip()


def _listed(columns: Columns) -> str:
    return ", ".join(list(columns)[:5])
