"""regraft pretrain: a backbone from samples without labels."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

import click

from ..errors import InputError
from .options import (
    KEEPING,
    KINDS,
    NAMING,
    NETWORK,
    RUNNING,
    duration,
    progress_bars,
    read,
    report_unreadable,
    with_options,
)
from .places import cache_folder
from .pools import read_frames, read_pool


@click.command("pretrain")
@click.argument("pool", type=click.Path(path_type=Path))
@click.option(
    "--task",
    default="auto",
    show_default=True,
    help="The pretext task; auto compares all that suit the samples by a probe on --labelled.",
)
@click.option(
    "--labelled",
    type=click.Path(path_type=Path),
    help="A few labelled samples: a probe on them is judged while the backbone learns, and says at the end "
    "what it is worth. --labels, --label, --labels-are and --group say how they are read.",
)
@with_options(NAMING)
@click.option("--labels-are", **KINDS)
@with_options(KEEPING, NETWORK)
@click.option(
    "--budget",
    metavar="TIME",
    help="Time for training, such as 90s, 5m or 1h; without it the task's own number of passes.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="The folder; named after POOL if it is not given."
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    default=0,
    show_default=True,
    help="Initial weights, batches, changes of samples and folds.",
)
@with_options(RUNNING)
@click.option("--no-cache", is_flag=True, help="Keep no checkpoints from which the same command goes on.")
@click.pass_context
def command(context: click.Context, /, pool: Path, **options: Any) -> None:
    """Train a backbone on POOL, a folder of images or a CSV table, whose labels, if there are any, are not
    read."""
    from ..backbones import open_backbone
    from ..engine import Engine, find_device, keep_freed_memory
    from ..folder import check_target
    from ..pretexts import PRETEXTS, pretext_named
    from ..pretraining import AUTO, pretrain
    from ..training import Training

    keep_freed_memory()
    budget, task = duration(options["budget"]), options["task"]
    if task != AUTO:
        task = pretext_named(task).__name__
    elif options["labelled"] is None:
        raise InputError("--task auto chooses by few labels: give --labelled FOLDER, or name a task")
    for option in ("labels", "labels_are") if options["labelled"] is None else ():
        if options[option] is not None:
            flag = f"--{option.replace('_', '-')}"
            raise InputError(f"{flag} was given without --labelled: name the labelled samples as well")
    out = options["out"] or Path(f"{pool.resolve().with_suffix('').name}-backbone")
    check_target(out)
    progress = progress_bars()
    labelled = None
    if options["labelled"] is not None:
        reading = {name: options[name] for name in ("labels", "label", "group", "spelling", "text")}
        labelled = read(options["labelled"], **reading, task=options["labels_are"], progress=progress)
        report_unreadable(labelled, options["labelled"])
    known = {name: options[name] for name in ("label", "group", "text")}
    reader = read_frames if task != AUTO and PRETEXTS[task].in_order else read_pool
    samples = reader(pool, **known, beside=labelled, progress=progress)
    named = options["backbone"] is not None or options["weights"] is not None
    network = None
    if named:
        network = open_backbone(options["backbone"], weights=options["weights"], domain=samples)
    checkpoints = cache_folder() / "runs" / hashlib.sha256(str(out.resolve()).encode()).hexdigest()[:16]
    found = pretrain(
        samples,
        task,
        network,
        Training(
            seed=options["seed"],
            engine=Engine(find_device(options["device"])),
            checkpoints=None if options["no_cache"] else checkpoints,
            progress=progress,
        ),
        labelled=labelled,
        budget=budget,
    )
    found.save(out)
    shutil.rmtree(checkpoints, ignore_errors=True)
    click.echo(f"{found}\n\nThe backbone is in {out}. Next: regraft fit FOLDER --backbone {out}")
