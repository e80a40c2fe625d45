"""regraft evaluate: the scores of a model on labelled samples."""

import json
from pathlib import Path
from typing import Any

import click

from .options import READING, progress_bars, read, report_unreadable, with_options


@click.command("evaluate")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("path", type=click.Path(path_type=Path))
@with_options(READING)
@click.option("--json", "as_json", is_flag=True, help="All of it as JSON.")
def command(model: Path, path: Path, as_json: bool, **options: Any) -> None:
    """The accuracy, balanced accuracy and recall of every class of MODEL on the labelled samples of PATH."""
    from ..model import load
    from ..selection import METRICS, evaluate
    from ..text import aligned

    fitted = load(model)
    labelled = read(path, **options, progress=progress_bars())
    report_unreadable(labelled, path)
    scores = evaluate(fitted, labelled)
    if as_json:
        click.echo(json.dumps(scores.to_json(), indent=1, ensure_ascii=False))
        return
    click.echo(f"{labelled}, 95 % intervals\n")
    click.echo(
        aligned(["metric", "value"], [[m.replace("_", " "), str(scores.interval(m))] for m in METRICS])
    )
    confusion = scores.confusion()
    rows = []
    for i, (name, recall) in enumerate(scores.recalls().items()):
        wrong = confusion[i].clone()
        wrong[i] = 0
        taken = scores.names[int(wrong.argmax())] if int(wrong.max()) else ""
        rows.append([name, str(int((scores.y == i).sum())), str(recall or "not judged"), taken])
    click.echo("\n" + aligned(["class", "samples", "recall", "most often taken for"], rows))
