"""Every way to fine-tune against each other and against three peers: accuracy, seconds and memory.

    python benchmarks/fine_tuning.py --quick
    python benchmarks/fine_tuning.py --results fine_tuning.jsonl

All columns of a cell start from the same weights, see the same labels and make the same passes over them in
batches of 16: ten, or with fewer than 96 labels as many as make 60 steps. The cartoons of PACS are told by
a network that was fitted to its photos first, whose old head knows the classes. Pictures have 128 pixels a
side. Seconds are the processor's, from the files to the fitted model, on one thread, so that they do not
depend on what else runs; memory is by how much a process of its own grew.

`regraft` is the row of the best score by the judge of `compare`, among what `plan` finds worth trying, and
its seconds are those of the whole comparison (`regraft fit --hand-over best`, less nested cross-validation,
which chooses nothing). `points_behind_best` is the mean over cells of the best column of the cell,
which only the test labels tell (an oracle), minus `regraft`. `time_ratio` is the seconds of `regraft` over
those of the fastest peer at equal accuracy, one that is at most a point below: sums over the cells that have
such a peer.
"""

import argparse
import importlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

import regraft as rg
from apart import apart
from data import pacs, photos, smaller, weights
from recipes import Outcome, Predict, Task, fastai, lightning, lora, network, outcome
from record import record
from regraft.engine import Engine, keep_freed_memory
from regraft.methods import METHODS
from regraft.trained import Trained
from setting import setting, table

PHOTOS = ("ants and bees", "caltech20", "cartoons")
SIDE, BATCH, STEPS, PASSES = 128, 16, 60, 10
CHOICE = "regraft"
PEERS = {"fastai": fastai, "lightning": lightning, "lora (peft)": lora}
FAMILIES = ("features", "fine tuning")
ENGINE = Engine(channels_last=True)
SLOW, FEW = ("Flextuning",), 200  # which train once for every stage, and labels up to which they may
CPU = time.process_time


@dataclass(frozen=True)
class Cell:
    """Whose photos, and how many labels a class (0: all)."""

    photos: str
    labels: int

    def __str__(self) -> str:
        return f"{self.photos}, {self.labels or 'all'} a class"


@dataclass(frozen=True)
class Found:
    """What a column found on one draw of the labels; kept: the candidate, where there was a choice."""

    cell: Cell
    draw: int
    column: str
    accuracy: float
    seconds: float
    mib: float
    kept: str = ""

    @classmethod
    def from_json(cls, line: str) -> "Found":
        saved = json.loads(line)
        return cls(Cell(**saved.pop("cell")), **saved)


@dataclass(frozen=True)
class Photos:
    """Photos by path with their classes as numbers, and the weights to start from."""

    train: list[Path]
    y: np.ndarray
    test: list[Path]
    y_test: np.ndarray
    weights: Path

    @classmethod
    def of(cls, name: str, folder: Path) -> "Photos":
        start = smaller(weights("0.35"), SIDE, folder / "weights")
        if name == "cartoons":
            train, y, test, y_test = halved(pacs("cartoon", folder))
            return cls(train, y, test, y_test, fitted_to_photos(start, folder))
        (train, y), (test, y_test) = map(listed, photos(name, folder))
        return cls(train, y, test, y_test, start)

    def drawn(self, cell: Cell, draw: int) -> Task:
        """`labels` photos of every class, or all."""
        order = np.random.default_rng(draw).permutation(len(self.train))
        rows = [order[self.y[order] == c][: cell.labels or None] for c in np.unique(self.y)]
        kept = np.sort(np.concatenate(rows))
        return Task([self.train[i] for i in kept], self.y[kept], self.test, self.y_test)


def listed(folder: Path) -> tuple[list[Path], np.ndarray]:
    """The photos of a folder with a sub-folder for each class."""
    classes = sorted(entry for entry in folder.iterdir() if entry.is_dir())
    found = [(path, c) for c, entry in enumerate(classes) for path in sorted(entry.iterdir())]
    return [path for path, _ in found], np.array([c for _, c in found])


def halved(folder: Path) -> tuple[list[Path], np.ndarray, list[Path], np.ndarray]:
    """Every other photo to learn from, the others to be tested on."""
    paths, y = listed(folder)
    return paths[::2], y[::2], paths[1::2], y[1::2]


def fitted_to_photos(start: Path, folder: Path) -> Path:
    """The weights after fine-tuning on the photos of PACS, under timm's names, for every column."""
    into = folder / "fitted to photos" / start.name
    if into.is_file():
        return into
    model = ours(METHODS["FineTune"](epochs=PASSES), start, *listed(pacs("photo", folder)), seed=0)
    net = network(start, 0)
    report = rg.transfer_weights(model.backbone, net)
    if report.at_random or report.left_out or report.converted:
        sys.exit(f"the network of timm is another than the one that was fitted: {report}")
    into.parent.mkdir(parents=True, exist_ok=True)
    told = json.loads(start.with_suffix(".json").read_text())
    told |= {"num_classes": model.output.width, "label_names": list(model.output.names)}
    into.with_suffix(".json").write_text(json.dumps(told))
    head = {f"classifier.{k}": getattr(model.head, k).detach() for k in ("weight", "bias")}
    save_file({k: t.contiguous() for k, t in {**net.state_dict(), **head}.items()}, into)
    return into


def labelled(paths: list[Path], y: np.ndarray) -> rg.Domain:
    return rg.Domain(rg.readers.image_files(paths), [f"{c:02}" for c in y])


def ours(method: Any, weights: Path, paths: list[Path], y: np.ndarray, seed: int) -> rg.Model:
    """The model of one recipe."""
    problem = rg.Problem(target_labelled=labelled(paths, y))
    backbone = rg.open_backbone(weights=weights)
    return method.fit(problem, backbone, rg.Training(seed=seed, engine=ENGINE))


def predicting(model: rg.Model, paths: list[Path]) -> np.ndarray:
    return np.array([int(name) for name in model.predict(paths)])


def recipe(name: str, start: Path, seed: int, passes: int) -> Callable[[Task], Predict]:
    """Fitting by a method of Regraft."""

    def fit(task: Task) -> Predict:
        method = paced(METHODS[name](), passes)
        return partial(predicting, ours(method, start, task.train, task.y, seed))

    return fit


def paced(method: Any, passes: int) -> Any:
    """The recipe with the passes that all columns make."""
    if not isinstance(method, Trained):
        return method
    return replace(method, epochs=passes, least_steps=0, batch_size=BATCH)


def chosen(start: Path, seed: int, passes: int, kept: list[str]) -> Callable[[Task], Predict]:
    """Fitting by the judged choice among what is planned; `kept` gets its name."""

    def fit(task: Task) -> Predict:
        problem = rg.Problem(target_labelled=labelled(task.train, task.y))
        backbone = rg.open_backbone(weights=start)
        planned = rg.plan(problem, backbone=backbone, budget=float("inf"))
        tried = [replace(c, method=paced(c.method, passes)) for c in planned.candidates]
        study = rg.compare(
            problem,
            training=rg.Training(seed=seed, engine=ENGINE),
            judge=rg.CrossValidation(seed=seed),
            hand_over="best",
            planned=replace(planned, candidates=tuple(tried)),
        )
        kept[:] = [study.handed_over.candidate.name]
        return partial(predicting, study.model)

    return fit


def measured(cell: Cell, draw: int, column: str, at: Photos) -> Found:
    """One column on one draw."""
    task = at.drawn(cell, draw)
    passes = max(PASSES, -(-STEPS * BATCH // len(task.train)))

    def work() -> tuple[Outcome, list[str]]:
        keep_freed_memory()
        kept: list[str] = []
        if column == CHOICE:
            fit = chosen(at.weights, draw, passes, kept)
        elif column in PEERS:
            fit = partial(PEERS[column], at.weights, seed=draw, epochs=passes, batch_size=BATCH)
        else:
            fit = recipe(column, at.weights, draw, passes)
        return outcome(fit, task, CPU), kept

    (found, kept), mib = apart(work)
    return Found(cell, draw, column, found.accuracy, found.seconds, mib, " ".join(kept))


def left_out(column: str, cell: Cell) -> bool:
    """Whether a column takes too long for so many labels, or knows none of the classes."""
    if column == "OldHead" and cell.photos != "cartoons":
        return True
    classes = {"ants and bees": 2, "caltech20": 20, "cartoons": 7}[cell.photos]
    return column in SLOW and not 0 < cell.labels * classes <= FEW


def columns_of() -> list[str]:
    """The choice, every method that borrows, and the peers that are installed."""
    methods = [name for name, method in METHODS.items() if method.borrows and method.family() in FAMILIES]
    return [CHOICE, *methods, *PEERS]


def report(found: list[Found]) -> str:
    """Accuracy by cell and column, what columns cost, and the two figures."""
    cells = list(dict.fromkeys(f.cell for f in found))
    columns = list(dict.fromkeys(f.column for f in found))
    means = {(c, name): averaged(found, c, name) for c in cells for name in columns}
    there = {key: mean for key, mean in means.items() if mean is not None}
    rows = []
    for name in columns:
        mine = [there[c, name] for c in cells if (c, name) in there]
        shown = [f"{100 * there[c, name].accuracy:.1f}" if (c, name) in there else "—" for c in cells]
        costs = [f"{sum(m.seconds for m in mine):.0f}", f"{max(m.mib for m in mine):.0f}"]
        mean = f"{100 * np.mean([m.accuracy for m in mine]):.1f}" if len(mine) == len(cells) else "—"
        rows.append([name, *shown, mean, *costs])
    header = ["column", *map(str, cells), "mean", "seconds in all", "MiB at most"]
    behind = [best(there, c) - there[c, CHOICE].accuracy for c in cells]
    complete = {
        n: [there[c, n].accuracy for c in cells] for n in columns if all((c, n) in there for c in cells)
    }
    steady = max(complete, key=lambda n: np.mean(complete[n]))
    short = 100 * (np.mean(complete[steady]) - np.mean(complete[CHOICE]))
    fastest = {c: seconds for c in cells if (seconds := fastest_equal(there, c)) is not None}
    own = sum(there[c, CHOICE].seconds for c in fastest)
    ratio = own / sum(fastest.values()) if fastest else float("nan")
    draws = {str(c): len({f.draw for f in found if f.cell == c}) for c in cells}
    kept = {
        str(c): ", ".join(sorted({f.kept for f in found if f.cell == c and f.column == CHOICE}))
        for c in cells
    }
    return "\n".join(
        [
            table(header, rows),
            "",
            "Test accuracy in percent, the mean over the draws. A column that is not run in every cell has "
            "no mean; its seconds and memory are those of the cells where it is.",
            "",
            table(
                ["cell", "draws", "chosen", "behind the best column", "its seconds", "fastest equal peer's"],
                [
                    [
                        str(c),
                        str(draws[str(c)]),
                        kept[str(c)],
                        f"{100 * b:.1f}",
                        f"{there[c, CHOICE].seconds:.0f}",
                        f"{fastest[c]:.0f}" if c in fastest else "none is equal",
                    ]
                    for c, b in zip(cells, behind, strict=True)
                ],
            ),
            "",
            f"The best column of a cell is told by its test labels, and is the luckiest of {len(columns)}. "
            f"The one that is best on average over the cells is {steady}, and `{CHOICE}` is {short:.1f} "
            "points behind it.",
            "",
            "The rules of the plan were chosen with an eye on first draws of these very cells.",
            "",
            f"points_behind_best: {100 * np.mean(behind):.2f}",
            f"time_ratio: {ratio:.2f}",
        ]
    )


@dataclass(frozen=True)
class Mean:
    """Of a column's draws in a cell."""

    accuracy: float
    seconds: float
    mib: float


def averaged(found: list[Found], cell: Cell, column: str) -> Mean | None:
    mine = [f for f in found if f.cell == cell and f.column == column]
    if not mine:
        return None
    return Mean(*(float(np.mean([getattr(f, field.name) for f in mine])) for field in fields(Mean)))


def best(there: dict[tuple[Cell, str], Mean], cell: Cell) -> float:
    """The accuracy of the best column of a cell."""
    return max(mean.accuracy for (c, _), mean in there.items() if c == cell)


def fastest_equal(there: dict[tuple[Cell, str], Mean], cell: Cell) -> float | None:
    """The seconds of the fastest peer that is at most a point below the choice."""
    enough = there[cell, CHOICE].accuracy - 0.01
    equal = [m.seconds for (c, n), m in there.items() if c == cell and n in PEERS and m.accuracy >= enough]
    return min(equal, default=None)


def cells_of(options: argparse.Namespace) -> Iterator[Cell]:
    for name in options.photos.split(","):
        for labels in options.labels.split(","):
            yield Cell(name, 0 if labels == "all" else int(labels))


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--quick", action="store_true", help="one draw of 5 labels a class of ants and bees")
    ask.add_argument("--draws", type=int, default=1, help="of the labels; all labels are one draw")
    ask.add_argument("--photos", default=",".join(PHOTOS))
    ask.add_argument("--labels", default="5,10,20,all", help="labels a class")
    ask.add_argument("--columns", help="only these, comma-separated")
    ask.add_argument(
        "--results", type=Path, help="a file of results to add to; what is in it is not run again"
    )
    ask.add_argument("--folder", type=Path, help="where photos are unpacked; a temporary one otherwise")
    options = ask.parse_args()
    if options.quick:
        options.photos, options.labels, options.draws = "ants and bees", "5", 1
    torch.set_num_threads(1)  # also what makes it safe to fork: no thread is left behind
    for module in ("fastai.vision.all", "lightning.pytorch", "peft"):
        importlib.import_module(module)  # takes seconds that belong to no column
    found = []
    if options.results and options.results.is_file():
        found = [Found.from_json(line) for line in options.results.read_text().splitlines()]
    done = {(f.cell, f.draw, f.column) for f in found}
    with tempfile.TemporaryDirectory() as temporary:
        opened: dict[str, Photos] = {}
        for cell in cells_of(options):
            for draw in range(options.draws if cell.labels else 1):
                for column in options.columns.split(",") if options.columns else columns_of():
                    if (cell, draw, column) in done or left_out(column, cell):
                        continue
                    if cell.photos not in opened:
                        at, _ = apart(partial(Photos.of, cell.photos, options.folder or Path(temporary)))
                        opened[cell.photos] = at
                    one = measured(cell, draw, column, opened[cell.photos])
                    found.append(one)
                    print(f"{cell}, draw {draw}: {one}", file=sys.stderr)
                    if options.results:
                        with options.results.open("a") as file:
                            file.write(json.dumps(asdict(one)) + "\n")
    text = report(found)
    if not options.quick:
        record("fine_tuning", f"## Fine-tuning\n\n`benchmarks/fine_tuning.py`, {setting()}\n\n{text}")
    print(text)


if __name__ == "__main__":
    main()
