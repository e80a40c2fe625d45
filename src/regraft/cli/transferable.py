"""regraft transferable: which layers carry over, and how far."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import click

from ..errors import InputError
from .options import (
    NETWORK,
    READING,
    RUNNING,
    duration,
    progress_bars,
    read,
    read_beside,
    report_unreadable,
    with_options,
)
from .places import cache_folder


@click.command("transferable")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="[SOURCE] TARGET")
@click.option("--halves", is_flag=True, help="Split the classes of TARGET at random: half is A, half is B.")
@with_options(NETWORK)
@click.option("--cuts", metavar="N,N", help="Numbers of copied stages; up to six of all without it.")
@click.option("--repeats", default=5, show_default=True, help="Other folds, weights and halves; at most.")
@click.option(
    "--steps", type=click.IntRange(1), help="For every network; thirty epochs of TARGET without it."
)
@click.option(
    "--rate", type=click.FloatRange(0, min_open=True), default=2e-3, show_default=True, help="Learning rate."
)
@click.option("--budget", metavar="TIME", help="Begin no repeat that would end later, such as 10m or 1h.")
@with_options(READING)
@click.option(
    "--out", type=click.Path(path_type=Path), help="The figure: a page (.html), .svg, or numbers (.json)."
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    default=0,
    show_default=True,
    help="Folds, halves, batches and initial weights.",
)
@with_options(RUNNING)
@click.option("--no-cache", is_flag=True, help="Keep no networks for the same command to go on from.")
@click.pass_context
def command(context: click.Context, /, paths: tuple[Path, ...], **options: Any) -> None:
    """Copy the first layers of a network trained on SOURCE (A), or on TARGET itself (B), and train the rest
    on TARGET: for every number of layers, frozen (AnB, BnB) and learning along (AnB+, BnB+).

    Says from which layer on they belong to A's task, and where they depend on each other. Without SOURCE, A
    is what the named network was pretrained on; with --halves, half of TARGET's classes.
    """
    from ..backbones import open_backbone
    from ..engine import Engine, find_device, keep_freed_memory
    from ..report import check_file, put
    from ..training import Training
    from ..transferability import transferable

    keep_freed_memory()
    if len(paths) > 2:
        raise InputError(f"{len(paths)} folders were given: give TARGET, or SOURCE and TARGET")
    out, budget, cuts = options["out"], duration(options["budget"]), _numbers(options["cuts"])
    if out is not None:
        check_file(out)
        if out.suffix.lower() not in (".html", ".svg", ".json"):
            raise InputError(f"{out} is to be written: give a name that ends in .html, .svg or .json")
    engine = Engine(find_device(options["device"]))
    progress = progress_bars()
    reading = {name: options[name] for name in ("labels", "label", "group", "spelling", "text")}
    target, source = read(paths[-1], **reading, progress=progress), None
    report_unreadable(target, paths[-1])
    if len(paths) == 2:
        source = read_beside(paths[0], reading, progress=progress)
        report_unreadable(source, paths[0])
    asked = f"{context.find_root().obj} {[str(path.resolve()) for path in paths]}"
    checkpoints = cache_folder() / "runs" / hashlib.sha256(asked.encode()).hexdigest()[:16]
    named = options["backbone"] is not None or options["weights"] is not None
    found = transferable(
        target,
        source,
        open_backbone(options["backbone"], weights=options["weights"], domain=target) if named else None,
        halves=options["halves"],
        cuts=cuts,
        repeats=options["repeats"],
        steps=options["steps"],
        rate=options["rate"],
        budget=budget,
        training=Training(
            seed=options["seed"],
            engine=engine,
            checkpoints=None if options["no_cache"] else checkpoints,
            progress=progress,
        ),
    )
    shutil.rmtree(checkpoints, ignore_errors=True)
    click.echo(str(found))
    if out is not None:
        put(_written(found, out.suffix.lower()), out)
        click.echo(f"\nThe figure is {out}.")


def _numbers(text: str | None) -> list[int] | None:
    """
    >>> _numbers("1, 3"), _numbers(None)
    ([1, 3], None)
    """
    try:
        return None if text is None else [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"--cuts {text} was given: give numbers of stages, such as 1,3,5") from None


def _written(found: Any, suffix: str) -> str:
    if suffix == ".json":
        return f"{json.dumps(found.to_json(), indent=1, ensure_ascii=False)}\n"
    from ..report.transferable import drawing, page

    return page(found) if suffix == ".html" else drawing(found)
