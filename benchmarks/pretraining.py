"""What a pretext task is worth at equal time: a probe on few labels behind each, on small photographs.

    pip install --no-deps lightly lightly_utils lightning_utilities
    python benchmarks/pretraining.py --seconds 20 --seeds 0 --tasks Rotation,SimCLR
    python benchmarks/pretraining.py --results pretraining.jsonl --processes 2

CIFAR-10 beside the checkout. 10,000 pictures without labels are the pool; 1,000 others (100 a class) teach
a probe, which is tested on 5,000; 250 of these (25 a class) are what the chooser sees. Every task trains the
same small network from the same random weights for the same number of a processor's seconds (how many steps
that is was timed before), and is then judged by the same logistic probe, tuned by cross-validation.

`worst_gain_over_random` is the lower end of the 95 % interval of the worst task's gain over the features of
the random network, in points: Student's t over seeds, whose weights, pictures and labels all differ.
`chooser_gap` is by how many points the task that few labels choose is behind the best, the mean over seeds.
"""

import argparse
import io
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from scipy.special import stdtrit

import regraft as rg
from data import DATA, there
from jobs import runs_of
from record import record
from regraft.backbone import Backbone
from regraft.backbones import pixels, small_convnet
from regraft.domain import Domain
from regraft.intervals import Interval
from regraft.methods import METHODS
from regraft.pretext import PIXELS, Pretext
from regraft.pretext_choice import foremost
from regraft.pretexts import PRETEXTS
from regraft.selection.judges import CrossValidation
from regraft.selection.judging import probe_judged
from setting import setting, table

SELECTED = """How a number was selected:

- a task's: by nothing; its hyper-parameters are its defaults, and it ends with its last step. The changes
  that views undergo are those of natural photographs: crops, mirror images, colours. RelativePatch has
  quarters of pictures instead of ninths since these seeds had shown the latter to be worth 2.5 points
  [−0.5, 5.5]; the quarters were tried on two other draws.
- `chosen`: in each seed the task that `rg.pretrain(task="auto")` would take of these: by the gain of its
  probe in cross-validation of 250 labels, drawn towards what it brought on other draws of these pictures
  (`Pretext.usual`) as far as the gains of all tasks tell (`pretext_choice.expected`). No test picture was
  seen; but that the gains tell how far, and not an assumed spread of 3 points, was decided after two of
  these five seeds, where that had cost four points.
- `oracle`: in each seed the best of the tasks by the test pictures that score it.
- `supervised`: the same network trained on the labels of the whole pool for as long; a reference.
- `lightly's SimCLR`: the same network and seconds, with that library's views, projection head and loss."""
RAW, RANDOM, SUPERVISED, PEER = "raw pixels", "random features", "supervised", "lightly's SimCLR"
REFERENCES = (RAW, RANDOM, SUPERVISED, *([PEER] if find_spec("lightly") else []))
POOL, TAUGHT, FEW = 10_000, 100, 25  # pictures of the pool; labels a class of the probe, and of the chooser
SEEDS = (0, 1, 2, 3, 4)
SECONDS = 60.0
TIMED, WARM = 12, 3
LIGHTLY_BATCH = 128
METRIC = "accuracy"


@dataclass(frozen=True)
class Job:
    """A run that is to be done: a task, a seed, and a processor's seconds."""

    task: str
    seed: int
    allowed: float

    @property
    def key(self) -> tuple[str, int, float]:
        return self.task, self.seed, self.allowed


@dataclass(frozen=True)
class Run:
    """What came of a task with a seed: the probe's accuracy on the test, and in cross-validation of few.

    gain: of the latter over random features, (value, low, high).
    """

    task: str
    seed: int
    allowed: float
    steps: int
    seconds: float
    accuracy: float
    few: float
    gain: tuple[float, float, float]

    @property
    def key(self) -> tuple[str, int, float]:
        return self.task, self.seed, self.allowed


@cache
def cifar() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Pictures and labels, of the training part and of the test."""
    saved = np.load(there(DATA / "cifar10" / "cifar10.npz"))

    def decoded(part: str) -> np.ndarray:
        content, at = saved[f"jpeg_{part}"], saved[f"offset_{part}"]
        files = (content[a:b].tobytes() for a, b in pairwise(at))
        return np.stack([np.asarray(Image.open(io.BytesIO(file))) for file in files])

    names = [str(name) for name in saved["classes"]]
    return decoded("train"), saved["y_train"], decoded("test"), saved["y_test"], names


@dataclass(frozen=True)
class Draw:
    """The samples of a seed: a pool (with its labels, which the reference alone sees), labels, and a test."""

    pool: Domain
    taught: Domain
    few: Domain
    test: Domain

    @classmethod
    def of(cls, seed: int) -> "Draw":
        x, y, x_test, y_test, names = cifar()
        order = np.random.default_rng(seed).permutation(len(x))
        pool, rest = order[:POOL], order[POOL:]
        by_class = [rest[y[rest] == c] for c in range(len(names))]
        taught = np.concatenate([rows[:TAUGHT] for rows in by_class])
        few = np.concatenate([rows[:FEW] for rows in by_class])

        def domain(rows: np.ndarray) -> Domain:
            return Domain(x[rows], [names[c] for c in y[rows]])

        return cls(domain(pool), domain(taught), domain(few), Domain(x_test, [names[c] for c in y_test]))


def steps_in(seconds: float, run: Callable[[int], Any]) -> int:
    """How many steps a run has time for."""
    run(WARM)  # what is imported and set up once is no step's
    taken = []
    for steps in (WARM, WARM + TIMED):
        begun = time.process_time()
        run(steps)
        taken.append(time.process_time() - begun)
    return max(1, int(seconds * TIMED / (taken[1] - taken[0])))


def trained(
    recipe: Pretext, pool: Domain, network: Backbone, seconds: float, seed: int
) -> tuple[Backbone, int]:
    """The network after so many of a processor's seconds of the task, and how many steps those were."""
    training = rg.Training(seed=seed)
    quick: dict[str, Any] = {"epochs": 0}

    def run(steps: int, pool: Domain) -> Backbone:
        return replace(recipe, least_steps=steps, **quick).pretrain(pool, network, training).backbone

    some = pool[torch.arange(1000)]
    steps = steps_in(seconds, lambda steps: run(steps, some))
    return run(steps, pool), steps


def supervised(pool: Domain, network: Backbone, seconds: float, seed: int) -> tuple[Backbone, int]:
    """The network after so many seconds of learning the labels of the pool."""
    training = rg.Training(seed=seed)
    fixed: dict[str, Any] = {"epochs": 0, "held_out": 0.0, "batch_size": 128, "crop": 0.6, "flip": True}

    def run(steps: int, pool: Domain) -> Backbone:
        recipe = METHODS["FromScratch"](least_steps=steps, **fixed)
        return recipe.fit(rg.Problem(target_labelled=pool), network, training).backbone

    some = pool[torch.arange(1000)]
    steps = steps_in(seconds, lambda steps: run(steps, some))
    return run(steps, pool), steps


def of_lightly(pool: Domain, network: Backbone, seconds: float, seed: int) -> tuple[Backbone, int]:
    """The network after so many seconds of lightly's SimCLR: its views (blur left out), head and loss."""
    from lightly.loss import NTXentLoss
    from lightly.models.modules import SimCLRProjectionHead
    from lightly.transforms import SimCLRTransform

    torch.manual_seed(seed)
    learning, width = network.copied().train(), network.features(pool.x[:1]).shape[1]
    head, loss_of = SimCLRProjectionHead(width, 256, 64), NTXentLoss(temperature=0.2)
    views = SimCLRTransform(input_size=32, gaussian_blur=0.0, min_scale=0.2, normalize=None)
    optimiser = torch.optim.AdamW([*learning.parameters(), *head.parameters()], lr=1e-3)
    learning.requires_grad_(True)
    assert isinstance(pool.x, torch.Tensor)
    start, steps, pictures = time.process_time(), 0, pool.x.numpy()
    while time.process_time() - start < seconds:
        order = torch.randperm(len(pictures))
        for rows in order.split(LIGHTLY_BATCH):
            seen = [views(Image.fromarray(pictures[i])) for i in rows.tolist()]
            z = [head(learning(255 * torch.stack(side)).flatten(1)) for side in zip(*seen, strict=True)]
            optimiser.zero_grad()
            loss_of(*z).backward()
            optimiser.step()
            steps += 1
            if time.process_time() - start >= seconds:
                break
    return learning.eval(), steps


def run_of(job: Job) -> Run:
    """One task with one seed."""
    task, seed, seconds = job.key
    draw = Draw.of(seed)
    fresh, steps = small_convnet((32, 32), seed=seed), 0
    begun = time.process_time()
    if task == RAW:
        network = pixels()
    elif task == RANDOM:
        network = fresh
    elif task == SUPERVISED:
        network, steps = supervised(draw.pool, fresh, seconds, seed)
    elif task == PEER:
        network, steps = of_lightly(draw.pool, fresh, seconds, seed)
    else:
        network, steps = trained(PRETEXTS[task](), draw.pool.unlabelled(), fresh, seconds, seed)
    taken = time.process_time() - begun
    probe = METHODS["LinearProbe"]().fit(rg.Problem(target_labelled=draw.taught), network)
    names = draw.test.classes.decode(draw.test.labels)
    accuracy = float(np.mean([a == b for a, b in zip(probe.predict(draw.test.x), names, strict=True)]))
    few, before = (
        probe_judged(draw.few, seen, CrossValidation(seed=seed), rg.Training(seed=seed)).scores
        for seen in (network, fresh)
    )
    gain = few.gain_over(before, METRIC)
    told = gain.value, gain.low, gain.high
    return Run(task, seed, seconds, steps, taken, accuracy, few.value(METRIC), told)


def report(runs: Sequence[Run], tasks: Sequence[str], seeds: Sequence[int]) -> str:
    """A row for each task, and the figures."""
    of = {(run.task, run.seed): run for run in runs}

    def accuracies(task: str) -> np.ndarray:
        return np.array([100 * of[task, seed].accuracy for seed in seeds])

    rows, lows = [], []
    for task in (*REFERENCES, *tasks):
        gain = accuracies(task) - accuracies(RANDOM)
        half = float("nan")
        if len(seeds) > 1:
            half = float(stdtrit(len(seeds) - 1, 0.975)) * gain.std(ddof=1) / np.sqrt(len(seeds))
        if task in tasks:
            lows.append(gain.mean() - half)
        told = (
            ""
            if task == RANDOM
            else f"{gain.mean():+.1f} [{gain.mean() - half:+.1f}, {gain.mean() + half:+.1f}]"
        )
        few = np.mean([100 * of[task, seed].few for seed in seeds])
        steps = np.mean([of[task, seed].steps for seed in seeds])
        rows.append([task, f"{accuracies(task).mean():.1f}", told, f"{few:.1f}", f"{steps:.0f}"])
    best = [max(of[task, seed].accuracy for task in tasks) for seed in seeds]

    def picked(seed: int) -> str:
        gains = [Interval(*of[task, seed].gain) for task in tasks]
        return tasks[foremost(gains, [PRETEXTS[task].usual for task in tasks])]

    picks = [picked(seed) for seed in seeds]
    taken = [of[task, seed].accuracy for task, seed in zip(picks, seeds, strict=True)]
    rows.append(["**chosen**", f"{100 * np.mean(taken):.1f}", ", ".join(picks), "", ""])
    rows.append(["oracle", f"{100 * np.mean(best):.1f}", "", "", ""])
    return "\n".join(
        [
            table(["task", "accuracy, %", "over random features", "few labels, %", "steps"], rows),
            "",
            f"The mean over {len(seeds)} seeds of the accuracy on the test pictures of a probe on "
            f"{10 * TAUGHT:,} labels, and by cross-validation of {10 * FEW}. Every task had "
            f"{runs[0].allowed:.0f} seconds of a processor.",
            "",
            SELECTED,
            "",
            f"worst_gain_over_random: {min(lows):+.2f}",
            f"chooser_gap: {100 * (np.mean(best) - np.mean(taken)):.2f}",
        ]
    )


def main() -> None:
    able = [name for name, task in PRETEXTS.items() if PIXELS in task.takes and name != "SlowFeatures"]
    ask = argparse.ArgumentParser(
        description=f"{__doc__}\n{SELECTED}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ask.add_argument("--tasks", default=",".join(able))
    ask.add_argument("--seeds", default=",".join(map(str, SEEDS)))
    ask.add_argument("--seconds", type=float, default=SECONDS, help="of a processor, for every task")
    ask.add_argument("--results", type=Path, help="keep every run here, and go on from there")
    ask.add_argument("--processes", type=int, default=1)
    asked = ask.parse_args()
    tasks, seeds = asked.tasks.split(","), [int(seed) for seed in asked.seeds.split(",")]
    cifar()
    jobs = [Job(task, seed, asked.seconds) for seed in seeds for task in (*REFERENCES, *tasks)]
    runs = runs_of(jobs, run_of, lambda line: Run(**json.loads(line)), asked.results, asked.processes)
    text = report(runs, tasks, seeds)
    print(text)
    if tasks == able and tuple(seeds) == SEEDS and asked.seconds == SECONDS:
        record("pretraining", f"## Pretext tasks\n\n`benchmarks/pretraining.py`, {setting()}\n\n{text}")


if __name__ == "__main__":
    main()
