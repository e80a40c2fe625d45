"""Digits of one kind for another, with a network trained from scratch: MNIST-M, USPS and MNIST.

    python benchmarks/digits.py --pairs mnist-usps --seeds 0 --steps 200
    python benchmarks/digits.py --results digits.jsonl --processes 2
    python benchmarks/digits.py --from FOLDER --pairs syn_numbers-svhn,svhn-mnist,syn_signs-gtsrb

The second takes two idle cores about 100 minutes, and goes on from its file when it is run again.
`digit_sets.py` says which files are looked for under FOLDER; what is not there is looked for beside the
checkout, where MNIST, MNIST-M and USPS are.

Every row has the same network (`regraft.backbones.lenet`, LeNet's shape with BatchNorm, random weights), the
same changes of the pictures, batches, rates and number of steps, and ends with its last step. What is scored
are the target's test pictures, of which nothing was seen. A run is one row, one pair and one seed, on one
thread.

`dann` is the accuracy of DANN from MNIST to MNIST-M, `chosen` that of the choice there, and `mnist_usps` and
`usps_mnist` those of the choice on these pairs; all are means over seeds.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import regraft as rg
from data import DATA, missing
from digit_sets import data_set
from jobs import runs_of
from record import record
from regraft.backbone import Backbone
from regraft.backbones import lenet
from regraft.method import Method
from regraft.methods import METHODS
from setting import setting, table

SELECTED = """How a number was selected:

- a method's: by nothing. Its hyper-parameters are the same for all pairs and seeds, and of its steps the last
  one is taken. Which changes of pictures keep a digit what it is, is knowledge of digits that all rows share:
  on MNIST-M their colours and contrast change sign.
- `choice`: what `rg.adapt` hands over of these methods, by its rules and without labels of the target.
- `trained on target`: by the target's own labels, from which it learns: a reference, not an adaptation.
- `oracle`: in each run the best of the methods by the target labels that score it.

The network, the steps and the changes were found on MNIST-M and USPS by accuracies on their test pictures, in
development; no row was tuned against another. That the choice has to beat the network trained on the source,
and not a head on its random weights, came into the plan after it had kept such a head on MNIST-M."""
TRAINED = ("SourceTuned", "DANN", "AdaMatch")
UNTRAINED, CHOICE, REFERENCE = "SourceOnly", "choice", "trained on target"
COLUMNS = (UNTRAINED, *TRAINED, CHOICE, REFERENCE)
TOLD = {UNTRAINED: "source only, network untrained", "SourceTuned": "source only"}
SEEDS, RATE = (0, 1, 2), 2e-3


@dataclass(frozen=True)
class Pair:
    """A source and a target, how their pictures may change, and how long is learned.

    invert: the share of pictures whose channels change contrast and its sign; it is for targets of other
    colours than the source.
    """

    source: str
    target: str
    steps: int
    invert: float = 0.0
    colour: float = 0.0
    affine: float = 0.5
    side: int = 28

    def __str__(self) -> str:
        return f"{self.source}-{self.target}"

    def network(self) -> Backbone:
        return lenet((self.side, self.side))

    def recipe(self, name: str) -> Method:
        """The method of that name, trained as all others are."""
        recipe: dict[str, Any] = {
            "epochs": 0,  # the number of steps is given
            "least_steps": self.steps,
            "batch_size": 64,
            "rate": RATE,
            "stage_rate": RATE,
            "affine": self.affine,
            "invert": self.invert,
            "colour": self.colour,
        }
        return METHODS[name](**recipe)


MAIN = (
    Pair("mnist", "mnist_m", steps=4000, invert=1.0),
    Pair("mnist", "usps", steps=1500),
    Pair("usps", "mnist", steps=1500),
)
MORE = (
    Pair("syn_numbers", "svhn", steps=4000, invert=1.0, affine=0.25, side=32),
    Pair("svhn", "mnist", steps=4000, invert=1.0, side=32),
    Pair("syn_signs", "gtsrb", steps=4000, colour=0.4, affine=0.25, side=40),
)
PAIRS = {str(pair): pair for pair in (*MAIN, *MORE)}


@dataclass(frozen=True)
class Job:
    """A run that is to be done: a row on a pair with a seed, and where the data are."""

    pair: Pair
    seed: int
    column: str
    data: Path

    @property
    def key(self) -> tuple[str, int, int, str]:
        return str(self.pair), self.pair.steps, self.seed, self.column


@dataclass(frozen=True)
class Run:
    """What came of a run: accuracy on the target's test pictures, and the processor's seconds.

    Of the choice there is no accuracy but that of the row which was chosen: trained again by its recipe and
    with its seed, what is handed over comes to the same bits. scores: of each candidate by each judge, none
    of which sees a label of the target.
    """

    pair: str
    steps: int
    seed: int
    column: str
    seconds: float
    accuracy: float | None = None
    chosen: str = ""
    why: str = ""
    scores: dict[str, dict[str, float]] | None = None

    @property
    def key(self) -> tuple[str, int, int, str]:
        return self.pair, self.steps, self.seed, self.column


def place(name: str, given: Path) -> Path:
    """The folder that has the data set of that name: the one that was given, or that beside the checkout."""
    found = next((within for within in (given, DATA) if (within / name).is_dir()), None)
    if found is None:
        missing(f"{given / name} is not there")
    return found


def run_of(job: Job) -> Run:
    """One row on one pair with one seed."""
    pair = job.pair
    source, target = (data_set(name, place(name, job.data)) for name in (pair.source, pair.target))
    training = rg.Training(seed=job.seed)
    given = rg.Problem(source=source.train, target=target.train.unlabelled())
    start = time.process_time()
    if job.column == CHOICE:
        study = rg.adapt(given, [pair.recipe(name) for name in TRAINED], pair.network(), training)
        print(study, file=sys.stderr, flush=True)
        return Run(
            str(pair),
            pair.steps,
            job.seed,
            job.column,
            time.process_time() - start,
            chosen=type(study.handed_over.candidate.method).__name__,
            why=study.sentence(),
            scores={type(row.candidate.method).__name__: row.scores for row in study.rows},
        )
    if job.column == REFERENCE:
        own = rg.Problem(source=target.train, target=given.domains["target"])
        model = pair.recipe("SourceTuned").fit(own, pair.network(), training)
    elif job.column == UNTRAINED:
        alone: dict[str, Any] = {"learner": "ridge"}  # as the plan has it
        model = METHODS[UNTRAINED](**alone).fit(given, pair.network(), training)
    else:
        model = pair.recipe(job.column).fit(given, pair.network(), training)
    seconds = time.process_time() - start
    said, names = model.predict(target.test.x), target.test.classes.names
    right = [mine == names[y] for mine, y in zip(said, target.test.labels.tolist(), strict=True)]
    return Run(str(pair), pair.steps, job.seed, job.column, seconds, float(np.mean(right)))


@dataclass(frozen=True)
class Draw:
    """The runs of a pair and a seed, by row."""

    runs: dict[str, Run]

    def accuracy(self, column: str) -> float:
        """Of a row, in percent; no number where it was not run."""
        if column == "oracle":
            return max(self.accuracy(name) for name in (UNTRAINED, *TRAINED))
        found = self.runs.get(column)
        if column == CHOICE and found is not None:
            found = self.runs.get(found.chosen)
        return float("nan") if found is None or found.accuracy is None else 100 * found.accuracy


def report(runs: Sequence[Run], pairs: Sequence[Pair]) -> str:
    """Accuracies by pair, what was chosen, and the figures of the main pairs."""
    draws = {str(pair): drawn(runs, pair) for pair in pairs}

    def mean(pair: str, column: str) -> float:
        return float(np.mean([draw.accuracy(column) for draw in draws.get(pair, [])] or [np.nan]))

    rows = []
    for column in (*COLUMNS, "oracle"):
        seconds = [run.seconds for run in runs if run.column == column]
        longest = f"{max(seconds):.0f}" if seconds else "—"
        rows.append([TOLD.get(column, column), *(spread(draws[p], column) for p in draws), longest])
    chosen = [
        [pair, counted(d.runs[CHOICE].chosen for d in draws[pair] if CHOICE in d.runs)] for pair in draws
    ]
    steps = ", ".join(f"{pair.steps:,} steps for {pair}" for pair in pairs)
    figures = {
        "dann": mean(str(MAIN[0]), "DANN"),
        "chosen": mean(str(MAIN[0]), CHOICE),
        "mnist_usps": mean(str(MAIN[1]), CHOICE),
        "usps_mnist": mean(str(MAIN[2]), CHOICE),
    }
    return "\n".join(
        [
            table(["row", *draws, "longest run, seconds"], rows),
            "",
            "Accuracy in percent on the target's test pictures: the mean over seeds, the lowest and the "
            f"highest. {steps}. Seconds are a processor's; those of the choice are of trying all rows on "
            "four fifths of the source, before what it takes is trained on the whole, as in its own row.",
            "",
            SELECTED,
            "",
            table(["pair", "choice"], chosen),
            "",
            *(f"{name}: {value / 100:.4f}" for name, value in figures.items()),
        ]
    )


def drawn(runs: Sequence[Run], pair: Pair) -> list[Draw]:
    """The runs of a pair, by seed."""
    mine = [run for run in runs if run.pair == str(pair)]
    return [Draw({r.column: r for r in mine if r.seed == seed}) for seed in sorted({r.seed for r in mine})]


def spread(draws: Sequence[Draw], column: str) -> str:
    """Mean, lowest and highest accuracy."""
    values = [draw.accuracy(column) for draw in draws]
    if not values or np.isnan(values).any():
        return "—"
    return f"{np.mean(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def counted(names: Iterable[str]) -> str:
    """What there was how often, the most frequent first."""
    return ", ".join(f"{name} {n}" for name, n in Counter(names).most_common()) or "—"


def main() -> None:
    ask = argparse.ArgumentParser(
        description=f"{__doc__}\n{SELECTED}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ask.add_argument("--pairs", default=",".join(map(str, MAIN)), help=f"of {', '.join(PAIRS)}")
    ask.add_argument("--seeds", default=",".join(map(str, SEEDS)))
    ask.add_argument("--columns", default=",".join(COLUMNS), help="which rows")
    ask.add_argument("--steps", type=int, help="instead of those that are recorded")
    ask.add_argument("--from", dest="data", type=Path, default=DATA, help="the folder of the data sets")
    ask.add_argument("--results", type=Path, help="keep every run here, and go on from there")
    ask.add_argument("--processes", type=int, default=1)
    asked = ask.parse_args()
    names, seeds = asked.pairs.split(","), [int(seed) for seed in asked.seeds.split(",")]
    pairs = [replace(PAIRS[name], steps=asked.steps or PAIRS[name].steps) for name in names]
    for name in dict.fromkeys(name for pair in pairs for name in (pair.source, pair.target)):
        place(name, asked.data)
    jobs = [Job(p, seed, c, asked.data) for p in pairs for seed in seeds for c in asked.columns.split(",")]
    runs = runs_of(jobs, run_of, lambda line: Run(**json.loads(line)), asked.results, asked.processes)
    wanted = {job.key for job in jobs}
    text = report(runs, pairs)
    print(text)
    whole = {job.key for job in (Job(p, s, c, asked.data) for p in MAIN for s in SEEDS for c in COLUMNS)}
    if wanted == whole:
        record("digits", f"## Digits\n\n`benchmarks/digits.py`, {setting()}\n\n{text}")


if __name__ == "__main__":
    main()
