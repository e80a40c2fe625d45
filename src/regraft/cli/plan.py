"""regraft plan: what fit would try, and why."""

from pathlib import Path
from typing import Any

import click

from .fit import opened
from .options import (
    CHOOSING,
    MASKS,
    READING,
    duration,
    method_names,
    progress_bars,
    read,
    report_unreadable,
    with_options,
)


@click.command("plan")
@click.argument("path", type=click.Path(path_type=Path))
@with_options(READING, MASKS, CHOOSING)
def command(path: Path, **options: Any) -> None:
    """Say what `fit PATH` would try and why, with references. Nothing is trained."""
    from ..planner import plan
    from ..problem import Problem

    named = ("labels", "masks", "label", "task", "group", "spelling", "text")
    reading = {name: options[name] for name in named}
    labelled = read(path, **reading, progress=progress_bars())
    report_unreadable(labelled, path)
    click.echo(f"{labelled}\n")
    problem = Problem(target_labelled=labelled)
    network = opened(options["backbone"], options["weights"], problem)
    planned = plan(
        problem,
        backbone=network,
        methods=method_names(options["methods"]),
        budget=duration(options["budget"]),
    )
    click.echo(str(planned))
