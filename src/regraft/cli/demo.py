"""regraft demo: the main job on real digits, offline."""

from pathlib import Path

import click

from .options import progress_bars

PER_CLASS = 5


@click.command("demo")
@click.option("--out", type=click.Path(path_type=Path), default=Path("digits-model"), show_default=True)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    default=1,
    show_default=True,
    help="Which digits are labelled; on some draws fifty labels are too few for a verdict.",
)
@click.pass_context
def command(context: click.Context, /, out: Path, seed: int) -> None:
    """Five labels for each handwritten digit, and a small network that has only ever seen printed letters:
    does it help to borrow it? The other 1,747 digits are a test set that is read once, at the end."""
    from ..backbones import glyphs
    from ..engine import keep_freed_memory
    from ..folder import check_target
    from ..planner import plan
    from ..problem import Problem
    from ..selection import CrossValidation, compare
    from ..training import Training

    keep_freed_memory()
    check_target(out)
    labelled, test = digits(seed)
    click.echo(
        f"Handwritten digits (UCI, 8×8 pixels): {len(labelled)} labelled, {PER_CLASS} of each; "
        f"{len(test)} held out.\nTo borrow from: a small network pretrained on printed glyphs.\n"
    )
    problem, budget = Problem(target_labelled=labelled), 60.0
    planned = plan(problem, backbone=glyphs(), budget=budget)
    click.echo(f"{planned}\n")
    study = compare(
        problem,
        training=Training(seed=seed, progress=progress_bars()),
        judge=CrossValidation(seed=seed),
        budget=budget,
        planned=planned,
    )
    study.read_test(test)
    study.setting["command"] = context.find_root().obj
    study.save(out, report=True)
    click.echo(f"{study}\n")
    click.echo(
        f"The model is in {out}, with study.json, and report.html to look at.\n"
        "Now with pictures of your own, one folder for each class:\n"
        "  regraft plan photos/\n  regraft fit photos/\n  regraft predict photos-model/ more-photos/"
    )


def digits(seed: int):  # type: ignore[no-untyped-def]  # Domain is imported late
    """(labelled, test): scikit-learn's UCI digits, white on black, PER_CLASS of each labelled."""
    import numpy as np
    from sklearn.datasets import load_digits

    from ..domain import Domain

    data = load_digits()
    images = np.round(data.images * (255 / 16)).astype(np.uint8)
    order = np.random.default_rng(seed).permutation(len(images))
    picked = np.concatenate([order[data.target[order] == c][:PER_CLASS] for c in range(10)])
    rest = np.setdiff1d(order, picked)
    whole = Domain(images, data.target)
    return whole[picked], whole[rest]
