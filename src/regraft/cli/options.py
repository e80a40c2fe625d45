"""Options that several commands share, and what they mean."""

import re
import sys
from collections.abc import Callable, Sequence
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import click

from ..domain import Domain
from ..errors import InputError
from ..output import Spelling
from ..progress import Bars, Progress, Silent
from ..readers.answers import Task
from ..text import plain

F = TypeVar("F", bound=Callable[..., Any])

TEXT = click.option("--text", metavar="NAME", help="The column with the texts, where a table holds texts.")

NAMING = (
    click.option(
        "--labels",
        type=click.Path(path_type=Path),
        help="CSV with the columns file and label, for a flat folder.",
    ),
    click.option(
        "--label",
        metavar="A[,B…]",
        help="The label column of a table; several ask for several numbers or labels.",
    ),
    TEXT,
)

KINDS: dict[str, Any] = {
    "type": click.Choice(["classes", "real", "multilabel"]),
    "help": "What the label asks for, where that is not plain: a class, an amount, or any of several labels "
    "(cat;dog).",
}

KEEPING = (
    click.option(
        "--group",
        metavar="WHAT",
        help="Samples that folds never split: a column, or a regular expression on the path.",
    ),
    click.option(
        "--merge-labels", "spelling", flag_value="merge", help="Labels that differ by case or space are one."
    ),
    click.option(
        "--keep-labels",
        "spelling",
        flag_value="keep",
        help="Labels that differ by case or space are several.",
    ),
)

READING = (*NAMING, click.option("--task", **KINDS), *KEEPING)

MASKS = (
    click.option(
        "--masks",
        type=click.Path(path_type=Path),
        help="A folder of PNG files of the images' names: the class of every pixel. --label a,b,c names the "
        "values 0, 1, 2 … where its classes.txt does not.",
    ),
)

NETWORK = (
    click.option(
        "--backbone", metavar="NAME", help="A timm model, glyphs, pixels, or a folder that Regraft saved."
    ),
    click.option(
        "--weights",
        type=click.Path(path_type=Path),
        help="Local safetensors weights, with the JSON beside them.",
    ),
)

CHOOSING = (
    *NETWORK,
    click.option(
        "--methods", metavar="A,B", help="Try these methods instead of what the plan finds worth it."
    ),
    click.option(
        "--budget",
        metavar="TIME",
        help="Time for training networks, such as 90s, 5m or 1h; without it none is trained.",
    ),
)

BORROWED = (
    click.option(
        "--backbone", metavar="NAME", help="The network that a thin MODEL needs, where it is not found."
    ),
    click.option("--weights", type=click.Path(path_type=Path), help="The same as a local safetensors file."),
)

RUNNING = (click.option("--device", default="auto", show_default=True, help="cpu, cuda or auto."),)


def with_options(*groups: tuple[Callable[[F], F], ...]) -> Callable[[F], F]:
    """The options of several groups, in the order in which help shows them."""
    flat = [option for group in groups for option in group]
    return lambda command: reduce(lambda made, option: option(made), reversed(flat), command)


def loaded(model: Path, backbone: str | None, weights: Path | None) -> Any:
    """The model in a folder, with the network that it needs where one is named."""
    from ..backbones import open_backbone
    from ..model_folder import load

    named = backbone is not None or weights is not None
    return load(model, open_backbone(backbone, weights=weights) if named else None)


def read(
    path: Path,
    *,
    labels: Path | None = None,
    masks: Path | None = None,
    label: str | Sequence[str] | None = None,
    task: Task | None = None,
    group: str | None = None,
    spelling: str | None = None,
    text: str | None = None,
    texts: bool = False,
    labelled: bool | None = True,
    progress: Progress | None = None,
) -> Domain:
    """A folder of images or a CSV table as a domain; labelled=None takes labels where a folder has them.

    text: the column of a table that holds texts. texts: whether texts are expected, wherever they are.
    """
    told: Spelling = "merge" if spelling == "merge" else "keep" if spelling == "keep" else "error"
    if text is not None or texts:
        from ..readers import read_texts

        if labels is not None or masks is not None:
            raise InputError("--labels and --masks belong to images, not to texts: leave them out")
        return read_texts(
            path, text=text, label=label, task=task, group=group, spelling=told, labelled=labelled
        )
    if masks is not None:
        from ..readers import read_masks

        if labels is not None:
            raise InputError("--masks and --labels tell different answers: give one of them")
        named = label.split(",") if isinstance(label, str) else label
        return read_masks(path, masks, classes=named, group=group, progress=progress)
    if path.is_file() and path.suffix.lower() in (".csv", ".tsv", ".txt"):
        from ..readers import read_table

        return read_table(
            path, label=label, task=task, group=group, spelling=told, labelled=labelled is not False
        )
    from ..readers import read_images

    return read_images(
        path,
        labels=labels,
        label=label if labels is not None else None,
        task=task,
        group=group,
        spelling=told,
        labelled=labelled,
        progress=progress,
    )


def read_beside(path: Path, reading: dict[str, Any], **more: Any) -> Domain:
    """Samples that go with others, read as they are: not by their label file, by group where that is told."""
    reading = {**reading, "labels": None, **more}
    if reading["group"] is not None:
        try:
            return read(path, **reading)
        except InputError as reason:
            grouped = str(reason)
    found = read(path, **{**reading, "group": None})
    if reading["group"] is not None:
        click.echo(plain(f"note: the groups of {path} are not checked ({grouped})"), err=True)
    return found


def report_unreadable(domain: Domain, name: Path) -> None:
    """Say which samples could not be read, and go on."""
    for sample, reason in domain.left_out[:5]:
        click.echo(plain(f"not used: {sample}: {reason}"), err=True)
    if len(domain.left_out) > 5:
        click.echo(plain(f"not used: {len(domain.left_out) - 5} more samples of {name}"), err=True)


def duration(text: str | None) -> float | None:
    """Seconds of a time such as 90s, 5m or 1h.

    >>> duration("5m"), duration("90"), duration(None)
    (300.0, 90.0, None)
    """
    if text is None:
        return None
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)[a-z]*\s*", text.lower())
    if found is None:
        raise InputError(f"{text!r} is no time: give a number with s, m or h, such as 90s or 5m")
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]]


def method_names(text: str | None) -> list[str] | None:
    """The names in a comma-separated list, each known.

    >>> method_names("linearprobe, NearestMean")
    ['LinearProbe', 'NearestMean']
    """
    if text is None:
        return None
    from ..methods import method_named

    return [method_named(name.strip()).__name__ for name in text.split(",") if name.strip()]


def progress_bars() -> Progress:
    """Bars where somebody watches, silence where nobody does."""
    return Bars() if sys.stderr.isatty() else Silent()
