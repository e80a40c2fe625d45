"""regraft predict: labels for new samples."""

import csv
import shutil
import sys
from pathlib import Path
from typing import Any

import click

from ..errors import InputError
from .options import BORROWED, RUNNING, TEXT, loaded, progress_bars, read, report_unreadable, with_options
from .places import cache_folder


@click.command("predict")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--probabilities", is_flag=True, help="A column with the probability of every class.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="A CSV file instead of standard output; for masks a new folder.",
)
@with_options((TEXT,), BORROWED, RUNNING)
def command(
    model: Path,
    path: Path,
    probabilities: bool,
    out: Path | None,
    text: str | None,
    backbone: str | None,
    weights: Path | None,
    device: str,
) -> None:
    """Label the samples of PATH (a folder or a CSV table) with MODEL: CSV with file, label, probability,
    accepted (no where the honest answer is "not sure") and novelty (above 1: unlike all that was labelled).
    A model of numbers gives each with the ends of its interval, one of several labels those that apply.
    A model of masks writes a PNG file for each image to --out, with the class of every pixel, and shares.csv.

    A file that cannot be read is named on standard error, and the exit code is then 1."""
    from dataclasses import replace

    from ..engine import find_device, keep_freed_memory
    from ..features import Store
    from ..output import Mask
    from ..preprocessing.tokens import takes_texts
    from ..readers.tables import FORMULA, harmless, write_csv
    from ..samples import sample_names
    from ..text import plain

    keep_freed_memory()
    fitted = loaded(model, backbone, weights)
    if device != "auto":
        fitted.engine = replace(fitted.engine, device=find_device(device))
    progress = progress_bars()
    if isinstance(fitted.output, Mask) and out is None:
        raise InputError("masks are files: name a folder for them, --out FOLDER")
    texts = takes_texts(fitted.backbone.preprocessing)
    pool = read(path, text=text, texts=texts, labelled=False, progress=progress)
    report_unreadable(pool, path)
    if isinstance(fitted.output, Mask) and out is not None:
        write_masks(fitted, pool, out, progress)
        if pool.left_out:
            sys.exit(1)
        return
    answers = fitted.answers(pool, Store(cache_folder() / "features"), progress)
    if probabilities and answers.chances is None:
        raise InputError(f"{model} estimates numbers, which have no probabilities: leave --probabilities out")
    header = ["file", *answers.header(), *(fitted.output.names if probabilities else [])]
    rows = []
    files = path.is_dir()
    for i, sample in enumerate(sample_names(pool.x)):
        # the same path, and no formula
        named = f"./{sample}" if files and sample.startswith(FORMULA) else sample
        every = [] if answers.chances is None or not probabilities else answers.chances[i].tolist()
        rows.append([named, *answers.cells(i), *(f"{p:.6f}" for p in every)])
    if files:
        rows.sort()  # files by name; rows of a table stay in their order
    if out is None:
        if sys.stdout.isatty():  # a file or another program gets the names as they are
            header, *rows = [[plain(cell) for cell in row] for row in [header, *rows]]
        csv.writer(sys.stdout, lineterminator="\n").writerows(map(harmless, [header, *rows]))
    else:
        write_csv(out, header, rows)
    accepted = answers.accepted
    if accepted is not None and fitted.certainty is not None:
        told = f"accepted {int(accepted.sum())} of {len(accepted)}; {fitted.certainty}"
        click.echo(told, err=True)
    if pool.left_out:
        sys.exit(1)


def write_masks(fitted: Any, pool: Any, out: Path, progress: Any) -> None:
    """A PNG file for each picture, the names of the classes, and a table of their shares; all or nothing.

    The folder is one that `--masks` reads.
    """
    from ..readers.label_maps import palette_png
    from ..readers.masks import CLASSES_FILE, mask_stems
    from ..readers.tables import FORMULA, write_csv

    if out.exists():
        raise InputError(f"{out} exists: name a new folder for the masks")
    stems = mask_stems(pool.x.names())
    partial = out.with_name(f"{out.name}.partial")
    rows = []
    try:
        for (name, stem), mask in zip(stems.items(), fitted.each_mask(pool, progress), strict=True):
            file = partial / f"{stem}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(palette_png(mask))
            pixels = fitted.output.pixels(mask[None])
            shares = [f"{share:.6f}" for share in (pixels / pixels.sum()).tolist()]
            rows.append([f"./{name}" if name.startswith(FORMULA) else name, *shares])
        lines = "".join(f"{name}\n" for name in fitted.output.names)
        (partial / CLASSES_FILE).write_text(lines, encoding="utf-8")
        write_csv(partial / "shares.csv", ["file", *fitted.output.names], sorted(rows))
        partial.rename(out)
    except OSError as reason:
        raise InputError(f"{out} cannot be written ({reason.strerror}): name another folder") from reason
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    click.echo(f"{len(rows)} masks and shares.csv are in {out}", err=True)
