"""regraft cluster: what lies together among samples without labels."""

import json
from pathlib import Path
from typing import Any

import click

from ..errors import InputError
from .options import NETWORK, RUNNING, TEXT, progress_bars, with_options
from .places import cache_folder
from .pools import read_pool


@click.command("cluster")
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--source",
    type=click.Path(path_type=Path),
    help="Other samples of the kind, without labels: what directions they vary along is learned from them.",
)
@click.option(
    "--clusters",
    type=click.IntRange(2),
    metavar="K",
    help="How many; without it the most that another half of the samples finds again.",
)
@click.option("--label", metavar="NAME", help="The label column of a table, which is not looked at.")
@with_options((TEXT,), NETWORK)
@click.option("--out", type=click.Path(path_type=Path), help="A CSV file: the cluster of every sample.")
@click.option("--json", "as_json", type=click.Path(path_type=Path), help="Write all of it to a file.")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    default=0,
    show_default=True,
    help="Starts of k-means, and halves of the samples.",
)
@with_options(RUNNING)
@click.option("--no-cache", is_flag=True, help="Keep no features.")
def command(target: Path, **options: Any) -> None:
    """Sort TARGET, a folder of images or a CSV table, whose labels, if there are any, are not read: sizes,
    the samples nearest to each centre, silhouettes, and how many clusters there are, with the reason.

    With --source the features are those that other samples vary along (self-taught clustering); a backbone
    that `regraft pretrain` made of them can be named as well."""
    from ..backbones import open_backbone
    from ..clustering import cluster
    from ..engine import Engine, find_device, keep_freed_memory
    from ..features import Store
    from ..readers.tables import write_csv
    from ..report import check_file, put
    from ..samples import sample_names
    from ..training import Training

    keep_freed_memory()
    for file in (options["out"], options["as_json"]):
        if file is not None:
            check_file(file)
            if file.resolve() in (target.resolve(), options["source"] and options["source"].resolve()):
                raise InputError(f"{file} is what is to be sorted: name another file to write")
    progress = progress_bars()
    reading = {"label": options["label"], "text": options["text"], "progress": progress}
    samples = read_pool(target, **reading)
    source = None if options["source"] is None else read_pool(options["source"], **reading, beside=samples)
    named = options["backbone"] is not None or options["weights"] is not None
    network = options["backbone"]
    if named:
        network = open_backbone(options["backbone"], weights=options["weights"], domain=source or samples)
    found = cluster(
        samples,
        source,
        clusters=options["clusters"],
        backbone=network,
        training=Training(
            seed=options["seed"], engine=Engine(find_device(options["device"])), progress=progress
        ),
        store=Store(None if options["no_cache"] else cache_folder() / "features"),
    )
    click.echo(str(found))
    if options["out"] is not None:
        rows = [
            [name, str(c + 1), "" if s != s else f"{s:.4f}"]
            for name, c, s in zip(
                sample_names(samples.x), found.cluster.tolist(), found.silhouettes.tolist(), strict=True
            )
        ]
        write_csv(options["out"], ["file", "cluster", "silhouette"], rows)
        click.echo(f"\nThe cluster of every sample is in {options['out']}.")
    if options["as_json"] is not None:
        put(f"{json.dumps(found.to_json(), indent=1, ensure_ascii=False)}\n", options["as_json"])
