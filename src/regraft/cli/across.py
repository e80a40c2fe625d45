"""What `regraft fit PATH --source FOLDER` does: carry a source's labels to a target that has none; and what
`--source-model MODEL` does, where the source's samples are gone."""

import hashlib
import os
import shutil
import time
from pathlib import Path
from typing import Any

import click

from ..beside import seen_from
from ..domain import Domain
from ..errors import InputError
from ..problem import Problem
from ..progress import Progress
from .options import duration, loaded, method_names, progress_bars, read, read_beside, report_unreadable
from .places import cache_folder
from .pools import read_pool

ACROSS_SOURCES = ("SourceTuned", "GroupDRO", "CORALAcross", "MomentMatching")
ELSEWHERE = ("masks", "unlabelled", "thin")  # options that have no meaning here
OF_SAMPLES = ("source", "labels")  # and these where the source is a model


def fit_across(context: click.Context, path: Path, options: dict[str, Any]) -> None:
    """Adapt, where that is safe, and write the model."""
    from ..backbones import open_backbone
    from ..engine import Engine, find_device, keep_freed_memory
    from ..features import Store
    from ..folder import check_target
    from ..planner import plan_across, plan_without_source
    from ..report import check_file
    from ..selection import adapt, metric_named
    from ..selection.adapting import in_terms_of
    from ..training import Training

    model = options["source_model"]
    by = "--source" if model is None else "--source-model"
    for name in ELSEWHERE if model is None else (*ELSEWHERE, *OF_SAMPLES):
        if options[name]:
            raise InputError(f"--{name} was given with {by}, for which it has no meaning: leave it out")
    keep_freed_memory()
    budget, methods = duration(options["budget"]), method_names(options["methods"])
    engine = Engine(find_device(options["device"]))
    out = options["out"] or Path(f"{Path(os.path.realpath(path)).with_suffix('').name}-model")
    check_target(out)
    if model is not None and out.resolve() == model.resolve():
        raise InputError(
            f"{out} is the source's model, which would be replaced: name another folder by --out"
        )
    page = Path(options["report"]) if options["report"] else None
    if page is not None:
        check_file(page)
    progress = progress_bars()
    sources: dict[str, Domain] = {}
    if model is None:
        sources, problem = domains(path, options, progress)
    else:
        problem = left(model, path, options, progress)
    labelled = _beside(options, "target_labelled", progress)
    metric, asked = metric_named(options["metric"], problem.output), problem.output
    test = _beside(options, "test", progress)
    if labelled is not None:
        problem = problem.having("target_labelled", in_terms_of(asked, labelled))
    if model is None:
        source = problem.domains["source"]
        network = open_backbone(options["backbone"], weights=options["weights"], domain=source)
        planned = plan_across(problem, network, methods, budget)
    else:
        planned = plan_without_source(problem, methods)
    click.echo(f"{planned}\n")
    cache = None if options["no_cache"] else cache_folder()
    checkpoints = cache and cache / "runs" / hashlib.sha256(str(out.resolve()).encode()).hexdigest()[:16]
    training = Training(seed=options["seed"], engine=engine, checkpoints=checkpoints, progress=progress)
    store, started = Store(cache and cache / "features"), time.monotonic()
    study = adapt(
        problem,
        training=training,
        metric=metric,
        hand_over=options["hand_over"],
        budget=budget,
        store=store,
        planned=planned,
    )
    if len(sources) > 1:
        rest = None if budget is None else budget - (time.monotonic() - started)
        network = planned.candidates[0].backbone
        try:
            study.unseen = unseen(
                sources, backbone=network, training=training, metric=metric, budget=rest, store=store
            )
        except InputError as reason:  # what was adapted stands without it
            study.left_out.append(("leaving one source out", str(reason)))
    if test is not None:
        study.read_test(test)
    study.model.provenance["samples_at"] = seen_from(out, path)
    study.setting["command"] = context.find_root().obj
    study.save(out, report=options["report"] == "")
    if page is not None:
        study.report(page)
    if checkpoints is not None:
        shutil.rmtree(checkpoints, ignore_errors=True)
    click.echo(f"{study}\n")
    if options["report"] is not None:
        click.echo(f"The page is {page or out / 'report.html'}.")
    click.echo(f"Model and study.json are in {out}. Next: regraft predict {out} FOLDER")


def domains(path: Path, options: dict[str, Any], progress: Progress) -> tuple[dict[str, Domain], Problem]:
    """The sources, and these as one labelled domain with PATH without labels."""
    from ..pooling import pooled

    reading = {name: options[name] for name in ("labels", "label", "task", "group", "spelling", "text")}
    sources: dict[str, Domain] = {}
    for folder in options["source"]:
        sources[str(folder)] = read(folder, **reading, progress=progress)
        report_unreadable(sources[str(folder)], folder)
    source = pooled(sources)
    # a column that the source does not have, or that tells the labels there, is not even looked at
    known = {"label": options["label"], "text": options["text"]}
    target = read_pool(path, **known, beside=source, progress=progress)
    return sources, Problem(source=source, target=target)


def left(model: Path, path: Path, options: dict[str, Any], progress: Progress) -> Problem:
    """What is left of a source, and PATH without labels."""
    from ..preprocessing.tokens import takes_texts

    kept = loaded(model, options["backbone"], options["weights"])
    target = read(
        path,
        label=options["label"],
        text=options["text"],
        texts=takes_texts(kept.backbone.preprocessing),
        labelled=False,
        progress=progress,
    )
    report_unreadable(target, path)
    return Problem(source_model=kept, target=target)


def unseen(sources: dict[str, Domain], **how: Any) -> Any:
    """What the sources teach for a domain that is not among them, each left out in turn; a network is trained
    where the budget allows it and there are two left to compare."""
    from ..selection import leave_one_domain_out

    has_weights = any(True for _ in how["backbone"].parameters())
    trained = how["budget"] is not None and len(sources) > 2 and has_weights
    return leave_one_domain_out(sources, ACROSS_SOURCES if trained else (), **how)


def _beside(options: dict[str, Any], name: str, progress: Progress) -> Domain | None:
    """Labelled samples that another option names, where it does."""
    if options[name] is None:
        return None
    reading = {key: options[key] for key in ("labels", "label", "task", "group", "spelling", "text")}
    found = read_beside(options[name], reading, progress=progress)
    report_unreadable(found, options[name])
    return found
