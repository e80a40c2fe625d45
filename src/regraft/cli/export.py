"""regraft export: a model for programs without Regraft."""

from pathlib import Path

import click

from ..errors import InputError
from .options import BORROWED, loaded, progress_bars, read, report_unreadable, with_options
from .places import samples_of


@click.command("export")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--to", type=click.Choice(["onnx"]), required=True, help="The format.")
@click.option(
    "--samples",
    type=click.Path(path_type=Path),
    help="Your own samples (a folder or a CSV table) to check the file on; without it those of the fit, "
    "where they still lie where they did beside MODEL.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="The file; named after MODEL if it is not given."
)
@with_options(BORROWED)
def command(
    model: Path,
    to: str,
    samples: Path | None,
    out: Path | None,
    backbone: str | None,
    weights: Path | None,
) -> None:
    """Write MODEL as one file that runs without Regraft, and check it on your own samples.

    A file that does not give the same labels, and the same probabilities to within 0.0001, is not written."""
    from ..export import export_onnx
    from ..export.entrance import must_be_numbers

    fitted = loaded(model, backbone, weights)
    must_be_numbers(fitted.backbone.preprocessing)
    path = samples or samples_of(model, fitted.provenance)
    if path is None:
        raise InputError(
            f"the samples that {model} was fitted to are not beside it: "
            "name some of your own to check the exported file on (--samples PATH)"
        )
    pool = read(path, labelled=False, progress=progress_bars())
    report_unreadable(pool, path)
    file = out or Path(f"{model.resolve().name}.{to}")
    parity = export_onnx(fitted, file, pool)
    click.echo(f"{file}, {parity} ({path}). What it takes and gives is in {file}.json.")
