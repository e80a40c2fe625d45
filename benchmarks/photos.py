"""`regraft fit` against what one finds in tutorials: test accuracy and seconds, from the same few labels.

    python benchmarks/photos.py --quick
    python benchmarks/photos.py --loop-labels 5,10 --results photos.jsonl

Every draw of the labels is the same for all columns. A cell's best column is the one with the highest mean
over its draws; `lower_difference` is the lower end of the 95 % interval of the mean of Regraft minus that
column, in points, over all cells and draws. `time_over_one_pass` is the seconds of all comparisons, baselines
included, over the seconds of decoding the same images and running the network over them once. The engine
is chosen once for each network, as `regraft fit` remembers it, and serves all of these. The pass is timed
before and after, and counts as the mean.
"""

import argparse
import importlib.util
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

import regraft as rg
from data import NETWORKS, PHOTOS, photos, weights
from recipes import Features, Outcome, Task, fastai, outcome, plain_loop
from record import record
from regraft.engine import TIMED, fastest_engine, keep_freed_memory
from regraft.features import Store, embed
from regraft.readers import image_files
from regraft.selection.entries import Entry
from setting import setting, table

OURS = {"regraft": "regraft fit", "winner": "its best row"}
OTHERS = {"loop": "plain loop", "fastai": "fastai", "features": "features + LogisticRegressionCV"}


@dataclass(frozen=True)
class Cell:
    """One setting: whose photos, which network, and how many labels a class (0: all)."""

    photos: str
    network: str
    labels: int

    def __str__(self) -> str:
        return f"{self.photos}, {self.network}, {self.labels or 'all'} a class"


@dataclass
class Draw:
    """What every column found on one draw of the labels."""

    cell: Cell
    number: int
    columns: dict[str, Outcome]
    one_pass: float
    handed_over: str
    transferred: bool

    @classmethod
    def from_json(cls, line: str) -> "Draw":
        saved = json.loads(line)
        columns = {name: Outcome(**found) for name, found in saved.pop("columns").items()}
        return cls(Cell(**saved.pop("cell")), columns=columns, **saved)


class Photos:
    """A network and a set of photos, with all that no draw of the labels changes."""

    def __init__(self, name: str, network: str, folder: Path) -> None:
        self.network, self.weights = network, weights(network)
        train, test = photos(name, folder)
        self.train, self.test = rg.read_images(train), rg.read_images(test)
        self.paths = self.train.x.paths
        self.backbone = rg.open_backbone(weights=self.weights)
        self.engine = fastest_engine(self.backbone, self.backbone.preprocessing(self.train[:TIMED].x))
        self.seen_test = Store()
        self.features = Features(self.weights, self.paths, self.test.x.paths)

    def drawn(self, labels: int, draw: int) -> torch.Tensor:
        """The rows of the draw: `labels` of every class, or all."""
        order = torch.randperm(len(self.train), generator=torch.Generator().manual_seed(draw))
        classes = range(self.train.classes.width)
        return torch.cat([order[self.train.labels[order] == c][: labels or None] for c in classes])

    def task(self, rows: torch.Tensor) -> Task:
        paths = [self.paths[i] for i in rows.tolist()]
        return Task(paths, self.train.labels[rows].numpy(), list(self.test.x.paths), self.test.labels.numpy())

    def regraft(self, rows: torch.Tensor, seed: int, folder: Path) -> tuple[Outcome, Outcome, rg.Study]:
        """What `regraft fit` does and says without a budget for training: its model, and its best row."""
        for i in rows.tolist():
            target = folder / self.train.classes.names[self.train.labels[i]] / self.paths[i].name
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(self.paths[i], target)
        start = time.perf_counter()
        training, store = rg.Training(seed=seed, engine=self.engine), Store()
        problem = rg.Problem(target_labelled=rg.read_images(folder))
        judge = rg.CrossValidation(seed=seed)
        study = rg.compare(problem, None, self.backbone, training, judge, store=store)
        model, _ = study.model, str(study)
        seconds = time.perf_counter() - start
        entry = Entry.at_the_cut(study.winner.candidate, problem, store, training)
        winner = entry.whole(entry.fitted(), problem)
        return Outcome(self.accuracy(model), seconds), Outcome(self.accuracy(winner), seconds), study

    def accuracy(self, model: rg.Model) -> float:
        """The share of the test photos that are told right."""
        y = model.output.encode(self.test.classes.decode(self.test.labels))
        right = model.logits(self.test.unlabelled(), self.seen_test).argmax(1) == y
        return float(right.float().mean())

    def one_pass(self, rows: torch.Tensor) -> float:
        """Seconds to decode these photos and run the network over them, stored nowhere."""
        start = time.perf_counter()
        embed(
            self.backbone, rg.Domain(image_files([self.paths[i] for i in rows.tolist()])), None, self.engine
        )
        return time.perf_counter() - start


def measured(cell: Cell, number: int, at: Photos, others: list[str]) -> Draw:
    """All columns on one draw."""
    rows = at.drawn(cell.labels, number)
    before = at.one_pass(rows)
    with tempfile.TemporaryDirectory() as folder:
        ours, winner, study = at.regraft(rows, number, Path(folder))
    one_pass = (before + at.one_pass(rows)) / 2
    columns = {"regraft": ours, "winner": winner, "features": at.features(at.task(rows))}
    if "loop" in others:
        columns["loop"] = outcome(partial(plain_loop, at.weights, seed=number), at.task(rows))
    if "fastai" in others:
        columns["fastai"] = outcome(partial(fastai, at.weights, seed=number), at.task(rows))
    kept = study.handed_over.candidate
    return Draw(cell, number, columns, one_pass, kept.name, kept.borrows)


def report(draws: list[Draw]) -> str:
    """The table, the notes on what it lacks, and the two figures."""
    cells: dict[Cell, list[Draw]] = {}
    for draw in draws:
        cells.setdefault(draw.cell, []).append(draw)
    rows, differences = [], []
    for cell, mine in cells.items():
        against = best_other(mine)
        paired = [
            d.columns["regraft"].accuracy - d.columns[against].accuracy for d in mine if against in d.columns
        ]
        differences += paired
        ours = sum(d.columns["regraft"].seconds for d in mine)
        kept = sum(d.transferred for d in mine)
        shown = [told(mine, column) for column in (*OURS, *OTHERS)]
        against_text = f"{100 * np.mean(paired):+.1f} ({against})".replace("-", "−")
        ratio = f"{ours / sum(d.one_pass for d in mine):.2f}"
        rows.append([str(cell), str(len(mine)), *shown, f"{kept}/{len(mine)}", against_text, ratio])
    header = ["photos, network, labels", "draws", *OURS.values(), *OTHERS.values()]
    low = 100 * lower_end(np.array(differences))
    time_ratio = sum(d.columns["regraft"].seconds for d in draws) / sum(d.one_pass for d in draws)
    return "\n".join(
        [
            table([*header, "transfer kept", "difference to the best", "time / one pass"], rows),
            "",
            "Mean test accuracy and seconds to fit; —: not run. The difference is to the best that was.",
            "",
            f"lower_difference: {low:.2f}",
            f"time_over_one_pass: {time_ratio:.2f}",
        ]
    )


def told(draws: list[Draw], column: str) -> str:
    """Mean accuracy and seconds, and on how many draws where not on all."""
    found = [d.columns[column] for d in draws if column in d.columns]
    if not found:
        return "—"
    partly = f" ({len(found)} draws)" if len(found) < len(draws) else ""
    return f"{np.mean([f.accuracy for f in found]):.3f}, {np.mean([f.seconds for f in found]):.1f} s{partly}"


def best_other(draws: list[Draw]) -> str:
    """The column with the highest mean accuracy besides Regraft's."""
    there = {name for d in draws for name in d.columns} - set(OURS)
    return max(
        there, key=lambda name: np.mean([d.columns[name].accuracy for d in draws if name in d.columns])
    )


def lower_end(differences: np.ndarray) -> float:
    """The lower end of Student's 95 % interval of the mean."""
    from scipy.stats import t

    n = len(differences)
    if n < 2:
        return float("nan")
    return float(differences.mean() - t.ppf(0.975, n - 1) * differences.std(ddof=1) / np.sqrt(n))


def cells_of(options: argparse.Namespace) -> Iterator[Cell]:
    for name in options.photos.split(","):
        for network in options.networks.split(","):
            for labels in options.labels.split(","):
                yield Cell(name, network, 0 if labels == "all" else int(labels))


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument(
        "--quick", action="store_true", help="one draw of 5 and 10 labels of ants and bees, 0.35"
    )
    ask.add_argument("--draws", type=int, default=5)
    ask.add_argument("--photos", default=",".join(PHOTOS))
    ask.add_argument("--networks", default=",".join(NETWORKS))
    ask.add_argument("--labels", default="5,10,20,all", help="labels a class")
    ask.add_argument(
        "--loop-labels", default="", help="labels a class for which the plain loop and fastai run"
    )
    ask.add_argument("--results", type=Path, help="a file of draws to add to; what is in it is not run again")
    ask.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = ask.parse_args()
    if options.quick:
        options.photos, options.networks, options.labels, options.draws = "ants and bees", "0.35", "5,10", 1
    keep_freed_memory()
    torch.set_num_threads(options.threads)
    draws = []
    if options.results and options.results.is_file():
        draws = [Draw.from_json(line) for line in options.results.read_text().splitlines()]
    done = {(d.cell, d.number) for d in draws}
    slow = ["loop"]
    if importlib.util.find_spec("fastai"):
        importlib.import_module("fastai.vision.all")  # which takes seconds that are not of the first draw
        slow.append("fastai")
    with tempfile.TemporaryDirectory() as folder:
        opened: dict[tuple[str, str], Photos] = {}
        for cell in cells_of(options):
            others = slow if str(cell.labels or "all") in options.loop_labels.split(",") else []
            for number in range(options.draws if cell.labels else 1):
                if (cell, number) in done:
                    continue
                at = opened.setdefault((cell.photos, cell.network), None) or Photos(
                    cell.photos, cell.network, Path(folder)
                )
                opened[cell.photos, cell.network] = at
                draw = measured(cell, number, at, others)
                draws.append(draw)
                found = {name: f"{o.accuracy:.3f} in {o.seconds:.1f} s" for name, o in draw.columns.items()}
                print(
                    cell,
                    f"draw {number}",
                    found,
                    draw.handed_over,
                    f"pass {draw.one_pass:.1f} s",
                    file=sys.stderr,
                )
                if options.results:
                    with options.results.open("a") as file:
                        file.write(json.dumps(asdict(draw)) + "\n")
    text = report(draws)
    if not options.quick:
        record("photos", f"## Photos\n\n`benchmarks/photos.py`, {setting()}\n\n{text}")
    print(text)


if __name__ == "__main__":
    main()
