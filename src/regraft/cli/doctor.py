"""regraft doctor: what is wrong with the data."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from ..errors import InputError
from .options import READING, RUNNING, progress_bars, read, read_beside, with_options
from .places import cache_folder


@click.command("doctor")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@with_options(READING)
@click.option("--backbone", metavar="NAME", help="The network whose features are looked at, as in fit.")
@click.option("--weights", type=click.Path(path_type=Path), help="Its local safetensors weights.")
@with_options(RUNNING)
@click.option("--json", "as_json", is_flag=True, help="All of it as JSON, every sample named.")
def command(paths: tuple[Path, ...], as_json: bool, **options: Any) -> None:
    """Examine every PATH (a folder or a CSV table) and all of them together: training photos first, then test
    photos, a pool without labels, what there is.

    Unreadable files; copies, near ones too (re-encoded, resized, mirrored), also across the PATHs and under
    different labels; groups in two of them; labels spelled in two ways or likely wrong; classes of one sample
    or of very different sizes; outliers. Nothing is changed. The exit code is 0 whatever is found."""
    from ..backbones import open_backbone
    from ..doctor import Copies, examine
    from ..engine import Engine, find_device, keep_freed_memory
    from ..features import Store, embed
    from ..samples import kind_of
    from ..selection.opinion import opinion
    from ..training import Training

    keep_freed_memory()
    training = Training(engine=Engine(find_device(options["device"])), progress=progress_bars())
    reading = {name: options[name] for name in ("labels", "label", "task", "group", "text")}
    reading["spelling"] = options["spelling"] or "keep"  # which is then said, and no reason to stop
    more: dict[str, Any] = {"labelled": None, "progress": training.progress}
    domains = [read(paths[0], **reading, **more), *(read_beside(path, reading, **more) for path in paths[1:])]
    sides = dict(zip(names_of(paths), domains, strict=True))
    copies, store = Copies.among(sides), Store(cache_folder() / "features")
    features, opinions = {}, {}
    for name, domain in sides.items():
        network = open_backbone(options["backbone"], weights=options["weights"], domain=domain)
        if kind_of(domain.x) == "images":
            features[name] = embed(network, domain, store, training.engine, training.progress).x
        told = opinion(copies.joined(name), network, training, store)
        if told is not None:
            opinions[name] = told
    found = examine(sides, copies=copies, features=features, opinions=opinions)
    if as_json:
        # escaped where somebody reads it: a name may hold what steers a terminal
        click.echo(json.dumps(found.to_json(), indent=1, ensure_ascii=sys.stdout.isatty()))
        return
    click.echo(str(found))


def names_of(paths: tuple[Path, ...]) -> list[str]:
    """What the sides are called: their folders or files, by as much of the path as tells them apart.

    >>> names_of((Path("birds/train"), Path("birds/test")))
    ['train', 'test']
    >>> names_of((Path("birds/test"), Path("cats/test")))
    ['birds/test', 'cats/test']
    """
    for parts in range(1, max(len(path.absolute().parts) for path in paths) + 1):
        names = ["/".join(path.absolute().parts[-parts:]) for path in paths]
        if len(set(names)) == len(names):
            return names
    raise InputError(f"{paths[0]} is given twice: name every folder or table once")
