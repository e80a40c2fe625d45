"""regraft evaluate: the scores of a model on labelled samples."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from ..errors import InputError
from ..text import aligned
from .options import BORROWED, MASKS, READING, loaded, progress_bars, read, report_unreadable, with_options
from .places import cache_folder, record_folder


@click.command("evaluate")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("path", type=click.Path(path_type=Path))
@with_options(READING, MASKS, BORROWED)
@click.option("--json", "as_json", is_flag=True, help="All of it as JSON.")
def command(
    model: Path,
    path: Path,
    as_json: bool,
    backbone: str | None,
    weights: Path | None,
    **options: Any,
) -> None:
    """The accuracy, balanced accuracy and recall of every class of MODEL on the labelled samples of PATH; of
    a model of masks the overlap (mIoU) and the accuracy of pixels."""
    from ..features import Store, embed
    from ..model import Model
    from ..output import Classes, Mask
    from ..preprocessing.tokens import takes_texts
    from ..readers.masks import CLASSES_FILE
    from ..selection import ClassScores, MaskScores, evaluate
    from ..selection.sealed import note_reading, reading_now, times_read

    fitted = loaded(model, backbone, weights)
    progress = progress_bars()
    options["task"] = options["task"] or fitted.output.kind
    if isinstance(fitted.output, Mask) and options["masks"] is None:
        raise InputError(f"{model} gives masks: give those of {path}, --masks FOLDER")
    named = options["masks"] is not None and (options["masks"] / CLASSES_FILE).is_file()
    if not isinstance(fitted.output, Classes) and not named:
        options["label"] = options["label"] or fitted.output.names
    options["texts"] = takes_texts(fitted.backbone.preprocessing)
    labelled = read(path, **options, progress=progress)
    report_unreadable(labelled, path)
    store = Store(cache_folder() / "features")
    seen = embed(fitted.backbone, labelled, store, fitted.engine, progress)
    _, rest = fitted.backbone.cut(len(fitted.backbone))
    behind = Model(rest, fitted.head, fitted.output, certainty=fitted.certainty)
    scores = evaluate(behind, seen)
    accepted = behind.answers(seen).accepted if isinstance(scores, ClassScores) else None
    made = str(fitted.provenance.get("method", "unknown method"))
    metric = fitted.output.metrics[0]
    fingerprint = labelled.fingerprint()
    if fingerprint in dict(fitted.provenance.get("data") or {}).values():
        click.echo("note: the model was fitted to these very samples: new ones are harder", err=True)
    readings = note_reading(
        reading_now(fingerprint, made, len(labelled), metric, scores.value(metric)), record_folder()
    )
    if as_json:
        # escaped where somebody reads it: a name may hold what steers a terminal
        told = {**scores.to_json(), "accepted": among(scores, accepted), "readings": len(readings)}
        click.echo(json.dumps(told, indent=1, ensure_ascii=sys.stdout.isatty()))
        return
    click.echo(f"{labelled}, {times_read(readings)}; 95 % intervals\n")
    click.echo(aligned(["metric", "value"], [[m, value] for m, value in scores.measures().items()]))
    if sure := among(scores, accepted):
        right = "" if sure["accuracy"] is None else f", accuracy among them {sure['accuracy']:.2f}"
        click.echo(f"\naccepted: {sure['share']:.0%} of the samples{right}")
    if isinstance(scores, ClassScores):
        click.echo("\n" + by_class(scores))
    if isinstance(scores, MaskScores):
        overlaps = [[name, str(found or "not judged")] for name, found in scores.overlaps().items()]
        click.echo("\n" + aligned(["class", "IoU"], overlaps))


def by_class(scores: Any) -> str:
    """How each class fared, and what it was taken for."""
    confusion = scores.confusion()
    rows = []
    for i, (name, recall) in enumerate(scores.recalls().items()):
        wrong = confusion[i].clone()
        wrong[i] = 0
        taken = scores.names[int(wrong.argmax())] if int(wrong.max()) else ""
        rows.append([name, str(int((scores.y == i).sum())), str(recall or "not judged"), taken])
    return aligned(["class", "samples", "recall", "most often taken for"], rows)


def among(scores: Any, accepted: Any) -> dict[str, float | None] | None:
    """The share of the samples that the model is sure of, and its accuracy among them."""
    if accepted is None:
        return None
    share = float(accepted.double().mean())
    return {"share": share, "accuracy": float(scores.correct[accepted].mean()) if share else None}
