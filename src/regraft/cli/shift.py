"""regraft shift: how far apart domains are, and what differs."""

import json
from pathlib import Path
from typing import Any

import click

from ..domain import Domain
from ..errors import InputError
from .doctor import names_of
from .options import (
    NETWORK,
    READING,
    RUNNING,
    progress_bars,
    read,
    read_beside,
    report_unreadable,
    with_options,
)
from .places import cache_folder


@click.command("shift")
@click.argument("paths", nargs=-1, required=True, metavar="A B [C…]", type=click.Path(path_type=Path))
@with_options(NETWORK, READING)
@click.option(
    "--use-labels",
    "labelled",
    multiple=True,
    metavar="B",
    type=click.Path(path_type=Path),
    help="Use the labels of B too, one of the PATHs: for the bound, and for class frequencies from there. "
    "Otherwise those of A alone are.",
)
@click.option("--report", type=click.Path(path_type=Path), help="Write it as a page.")
@click.option("--json", "as_json", type=click.Path(path_type=Path), help="Write all numbers to a file.")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    default=0,
    show_default=True,
    help="Folds, and samples drawn where there are more than 2,000.",
)
@with_options(RUNNING)
@click.option("--no-cache", is_flag=True, help="Keep no features.")
def command(paths: tuple[Path, ...], labelled: tuple[Path, ...], **options: Any) -> None:
    """How far apart domains are: folders of images or CSV tables, A and others.

    How well a linear classifier tells every two of them apart (discrepancy distance, AUC), MMD², what
    differs in plain words, how many samples count when one is reweighted to another. Where A has labels, the
    class frequencies of the others are estimated; where --use-labels gives theirs, the bound of Ben-David et
    al. with its pieces."""
    from ..backbones import open_backbone
    from ..engine import Engine, find_device, keep_freed_memory
    from ..features import Store
    from ..report import check_file, put
    from ..shift import measure_shift
    from ..training import Training

    keep_freed_memory()
    if len(paths) < 2:
        raise InputError(f"{paths[0]} alone is given: give two folders or tables, or more, to compare")
    for file in (options["report"], options["as_json"]):
        if file is not None:
            check_file(file)
    names = names_of(paths)
    known = {path.resolve() for path in paths}
    for path in labelled:
        if path.resolve() not in known:
            raise InputError(f"--use-labels {path} is none of the domains: name one of {', '.join(names)}")
    used = {paths[0].resolve(), *(path.resolve() for path in labelled)}
    progress = progress_bars()
    training = Training(
        seed=options["seed"], engine=Engine(find_device(options["device"])), progress=progress
    )
    reading = {name: options[name] for name in ("labels", "label", "task", "group", "spelling", "text")}
    domains: dict[str, Domain] = {}
    for i, (name, path) in enumerate(zip(names, paths, strict=True)):
        domains[name] = _read(path, reading, i == 0, path.resolve() in used, progress)
        report_unreadable(domains[name], path)
    named = options["backbone"] is not None or options["weights"] is not None
    network = open_backbone(options["backbone"], weights=options["weights"]) if named else None
    store = None if options["no_cache"] else Store(cache_folder() / "features")
    found = measure_shift(domains, network, store=store, training=training)
    click.echo(str(found))
    if options["report"] is not None:
        from ..report.shift import page

        put(page(found), options["report"])
        click.echo(f"\nThe page is {options['report']}.")
    if options["as_json"] is not None:
        put(f"{json.dumps(found.to_json(), indent=1, ensure_ascii=False)}\n", options["as_json"])


def _read(path: Path, reading: dict[str, Any], first: bool, used: bool, progress: Any) -> Domain:
    """A domain; without its labels where these are not to be used, and then in an order that tells none."""
    label = reading["label"]
    is_table = path.is_file() and reading["labels"] is None
    if is_table and label is None:
        label = _usual_label(path)
    labelled = None if used and not is_table else used and label is not None
    more: dict[str, Any] = {"label": label, "labelled": labelled, "progress": progress}
    if first:
        return read(path, **{**reading, **more})
    return read_beside(path, reading, **more)


def _usual_label(path: Path) -> str | None:
    """The column that is taken for the label where none is named, if there is one."""
    from ..readers import Table
    from ..readers.tables import LABEL_COLUMNS

    x = read(path, labelled=False).x
    usual = [name for name in x.columns if name.lower() in LABEL_COLUMNS] if isinstance(x, Table) else []
    return usual[-1] if usual else None
