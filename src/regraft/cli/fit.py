"""regraft fit: the main job."""

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import click

from ..beside import seen_from
from ..errors import InputError
from .across import fit_across
from .options import (
    CHOOSING,
    MASKS,
    READING,
    RUNNING,
    duration,
    method_names,
    progress_bars,
    read,
    read_beside,
    report_unreadable,
    with_options,
)
from .places import cache_folder, record_folder
from .pools import read_pool


@click.command("fit")
@click.argument("path", type=click.Path(path_type=Path))
@with_options(READING, MASKS)
@click.option("--unlabelled", type=click.Path(path_type=Path), help="A pool of unlabelled samples.")
@click.option(
    "--source",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Labelled samples of another domain; PATH is then read without labels, and --labels, --label, "
    "--task and --group say how sources are read. Several may be given.",
)
@click.option(
    "--source-model",
    type=click.Path(path_type=Path),
    help="A model folder, where the samples of the source are gone; PATH is then read without labels.",
)
@click.option(
    "--target-labelled",
    type=click.Path(path_type=Path),
    help="With --source or --source-model: a few labelled samples of PATH's domain; they judge all "
    "candidates, and teach some.",
)
@click.option(
    "--test", type=click.Path(path_type=Path), help="Labelled samples for one last number; read at the end."
)
@with_options(CHOOSING)
@click.option("--metric", help="What the choice is made by: accuracy (usual) or balanced-accuracy.")
@click.option(
    "--hand-over",
    type=click.Choice(["likely", "proven", "best"]),
    default="likely",
    show_default=True,
    help="proven: a transfer, or a pool, only if its gain is beyond doubt; likely: the same, but a pool that "
    "looks like the labelled samples if its gain is likely; best: whatever scores best.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="The model folder; named after PATH if it is not given."
)
@click.option(
    "--thin",
    is_flag=True,
    help="Write only what differs from the borrowed network, which is then needed to use the model.",
)
@click.option(
    "--report",
    is_flag=False,
    flag_value="",
    metavar="[FILE]",
    help="Write the study as a page: to FILE, or as report.html into the model folder.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    default=0,
    show_default=True,
    help="Folds, training and initial weights.",
)
@with_options(RUNNING)
@click.option("--no-cache", is_flag=True, help="Keep no activations or checkpoints for the next run.")
@click.pass_context
def command(context: click.Context, /, path: Path, **options: Any) -> None:
    """Try what may help on PATH (a folder with one sub-folder a class, or a CSV table), judge every
    candidate against what borrows nothing, and write the model that earns it."""
    if options["source"] or options["source_model"] is not None:
        fit_across(context, path, options)
    elif options["target_labelled"] is not None:
        raise InputError("--target-labelled was given without --source: name the labelled source as well")
    else:
        fit_labelled(context, path, options)


def fit_labelled(context: click.Context, path: Path, options: dict[str, Any]) -> None:
    """The comparison of what borrows with what does not, on labelled samples."""
    from ..engine import Engine, find_device, keep_freed_memory
    from ..features import Store
    from ..folder import check_target
    from ..planner import plan
    from ..problem import Problem
    from ..report import check_file
    from ..selection import CrossValidation, SealedTest, compare, metric_named
    from ..training import Training

    keep_freed_memory()
    budget = duration(options["budget"])
    methods = method_names(options["methods"])
    engine = Engine(find_device(options["device"]))
    out = options["out"] or Path(f"{Path(os.path.realpath(path)).with_suffix('').name}-model")
    check_target(out)
    page = Path(options["report"]) if options["report"] else None
    if page is not None:
        check_file(page)
    progress = progress_bars()
    named = ("labels", "masks", "label", "task", "group", "spelling", "text")
    reading = {name: options[name] for name in named}
    labelled = read(path, **reading, progress=progress)
    report_unreadable(labelled, path)
    metric = metric_named(options["metric"], labelled.asked)
    pool = None
    if options["unlabelled"] is not None:
        known = {name: options[name] for name in ("label", "group", "text")}
        pool = read_pool(options["unlabelled"], **known, beside=labelled, progress=progress)
    sealed = None
    if options["test"] is not None:
        test = read_beside(options["test"], {**reading, "task": labelled.asked.kind}, progress=progress)
        report_unreadable(test, options["test"])
        try:
            labelled.asked.matched(test.asked, test.labels, test.observed)
        except InputError as reason:
            raise InputError(f"{options['test']}: {reason}") from reason
        sealed = SealedTest.of(test, labelled)
    problem = Problem(target_labelled=labelled, unlabelled=pool)
    network = opened(options["backbone"], options["weights"], problem)
    planned = plan(problem, backbone=network, methods=methods, budget=budget)
    click.echo(f"{planned}\n")
    cache = None if options["no_cache"] else cache_folder()
    checkpoints = cache and cache / "runs" / hashlib.sha256(str(out.resolve()).encode()).hexdigest()[:16]
    training = Training(seed=options["seed"], engine=engine, checkpoints=checkpoints, progress=progress)
    study = compare(
        problem,
        training=training,
        judge=CrossValidation(seed=options["seed"]),
        metric=metric,
        hand_over=options["hand_over"],
        budget=budget,
        store=Store(cache and cache / "features"),
        planned=planned,
    )
    if sealed is not None:
        study.read_test(sealed, record_folder())
    study.model.provenance["samples_at"] = seen_from(out, path)
    study.setting["command"] = context.find_root().obj
    study.save(out, report=options["report"] == "", thin=options["thin"])
    if page is not None:
        study.report(page)
    if checkpoints is not None:
        shutil.rmtree(checkpoints, ignore_errors=True)
    click.echo(f"{study}\n")
    if study.curve is not None:
        click.echo(f"Labels: {study.curve}.\n")
    if options["report"] is not None:
        click.echo(f"The page is {page or out / 'report.html'}.")
    click.echo(f"Model and study.json are in {out}. Next: regraft predict {out} FOLDER")


def opened(backbone: str | None, weights: Path | None, problem: Any) -> Any:
    """The backbone that the options name, once it is clear that there is something to use it for."""
    from ..backbones import open_backbone
    from ..planner import solvable

    return open_backbone(backbone, weights=weights, domain=solvable(problem))
