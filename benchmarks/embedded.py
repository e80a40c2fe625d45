"""Whether the network that ships would be a better one if its glyphs had taught it otherwise.

    python benchmarks/embedded.py --seconds 20 --seeds 0
    python benchmarks/embedded.py --results embedded.jsonl --processes 2

`scripts/pretrain_glyphs.py` teaches it the classes of glyphs. Here the same glyphs, varied in the same way,
teach the same network for the same number of a processor's seconds either their classes, or what two
variations of one glyph share (SimCLR's objective), or both at once, of which each has half of the weight.
Each is then judged by a logistic probe on 10 labels a class of data that it has not seen: handwritten digits,
small photographs, photographs squashed to 32 pixels, and spectra of spoken digits as pictures, five draws of
labels each. Beside them random weights, the network as it ships, and raw pixels.

`best_other_gain` is by how many points the better of the two other recipes is ahead of classes alone, the
mean over data sets and seeds. Above 0 by more than its interval, the other recipe should be shipped.
"""

import argparse
import importlib.util
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.special import stdtrit
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import regraft as rg
from jobs import runs_of
from record import record
from regraft.backbone import Backbone
from regraft.backbones import pixels
from regraft.backbones.glyphs import rebuild_glyphs
from regraft.methods import METHODS
from regraft.pretexts.contrastive.projector import projector
from regraft.pretexts.contrastive.simclr import nt_xent
from semi import BANDS, FRAMES, drawn, whole
from setting import setting, table

SELECTED = """How a number was selected:

- by nothing: every recipe has the optimiser, the peak rate, the schedule and the batch of the script, and
  what SimCLR's objective needs has its defaults. Probes choose their strength by folds of the labels."""
CLASSES, VIEWS, BOTH = "classes", "two variations of one", "both"
RANDOM, SHIPPED, RAW = "random weights", "as it ships", "raw pixels"
TAUGHT, REFERENCES = (CLASSES, VIEWS, BOTH), (RAW, RANDOM, SHIPPED)
DATA_SETS = ("mnist", "cifar10", "caltech20", "fsdd")
LABELS, DRAWS, SEEDS, SECONDS = 10, 5, (0, 1, 2), 120.0
TEMPERATURE, WIDTH, OUT = 0.2, 256, 64
TESTED = 2000  # pictures of a test at the most


@dataclass(frozen=True)
class Job:
    """A run that is to be done: a recipe or a reference, a seed, a processor's seconds."""

    recipe: str
    seed: int
    seconds: float
    into: Path

    @property
    def key(self) -> tuple[str, int, float]:
        return self.recipe, self.seed, self.seconds


@dataclass(frozen=True)
class Run:
    """The probe's accuracies by data set, the mean over draws, and the steps of training."""

    recipe: str
    seed: int
    seconds: float
    steps: int
    accuracy: dict[str, float]

    @property
    def key(self) -> tuple[str, int, float]:
        return self.recipe, self.seed, self.seconds


@cache
def script() -> Any:
    """scripts/pretrain_glyphs.py."""
    file = Path(__file__).resolve().parents[1] / "scripts" / "pretrain_glyphs.py"
    found = importlib.util.spec_from_file_location("pretrain_glyphs", file)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def pretrained(recipe: str, seed: int, seconds: float) -> tuple[Backbone, int]:
    """The network after so many seconds of a recipe, and how many steps those were."""
    glyphs = script()
    pictures, names = glyphs.render(glyphs.FONTS)
    classes = sorted(set(names))
    y = torch.tensor([classes.index(name) for name in names])
    rng = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    network, width = rebuild_glyphs().to(memory_format=torch.channels_last).train(), 8 * glyphs.WIDTH
    named, compared = nn.Linear(width, len(classes)), projector(width, WIDTH, OUT)
    parameters = [*network.parameters(), *named.parameters(), *compared.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=glyphs.LEARNING_RATE, weight_decay=glyphs.WEIGHT_DECAY)

    def loss_of(rows: Tensor) -> Tensor:
        views = [glyphs.vary(pictures[rows], rng) for _ in range(1 if recipe == CLASSES else 2)]
        seen = network(torch.cat(views)).flatten(1)
        loss = torch.zeros(())
        if recipe != VIEWS:
            loss = loss + cross_entropy(named(seen), y[rows].repeat(len(views)))
        if recipe != CLASSES:
            loss = loss + nt_xent(*compared(seen).chunk(2), TEMPERATURE)
        return loss if recipe != BOTH else loss / 2

    start = time.process_time()
    for steps, rows in enumerate(glyphs.batches(y, 10**9, rng), 1):  # noqa: B007  read after the loop
        past = (time.process_time() - start) / seconds
        if past >= 1:
            break
        for group in optimiser.param_groups:  # one cycle by time, as the script's is by steps
            group["lr"] = glyphs.LEARNING_RATE * one_cycle(past)
        optimiser.zero_grad()
        loss_of(rows).backward()
        optimiser.step()
    return network.eval().to(memory_format=torch.contiguous_format), steps


def one_cycle(past: float, rising: float = 0.25) -> float:
    """The share of the peak rate: by half cosines up from 1/25, and down to almost 0."""
    if past < rising:
        return float(1 + (1 / 25 - 1) * (1 + np.cos(np.pi * past / rising)) / 2)
    return float(1e-6 + (1 - 1e-6) * (1 + np.cos(np.pi * (past - rising) / (1 - rising))) / 2)


def run_of(job: Job) -> Run:
    """One recipe with one seed, and the probes behind it."""
    steps = 0
    if job.recipe == RAW:
        network = pixels()
    elif job.recipe == RANDOM:
        torch.manual_seed(job.seed)
        network = rebuild_glyphs()
    elif job.recipe == SHIPPED:
        network = rg.open_backbone("glyphs")
    else:
        network, steps = pretrained(job.recipe, job.seed, job.seconds)
    accuracy = {name: probed(name, network, job) for name in DATA_SETS}
    return Run(job.recipe, job.seed, job.seconds, steps, accuracy)


def probed(name: str, network: Backbone, job: Job) -> float:
    """The mean accuracy of probes on a few labels, over draws of these."""
    given = whole(name, job.into)
    train, test = (as_pictures(domain) if name == "fsdd" else domain for domain in (given.train, given.test))
    test = rg.embed(network, test[torch.arange(min(TESTED, len(test)))])
    names, found = np.array(test.classes.decode(test.labels)), []
    for draw in range(DRAWS):
        few = drawn(train, LABELS, 1000 * job.seed + draw).target_labelled
        model = METHODS["LinearProbe"]().fit(rg.Problem(target_labelled=few), network)
        with torch.inference_mode():
            said = model.head(test.x.flatten(1)).argmax(1)  # type: ignore[union-attr]
        found.append(float((np.array(model.output.decode(said)) == names).mean()))
    return float(np.mean(found))


def as_pictures(spectra: rg.Domain) -> rg.Domain:
    """Each spectrum as a grey picture, from its lowest number to its highest."""
    x = spectra.x.double().reshape(-1, FRAMES, BANDS)  # type: ignore[union-attr]
    low, high = x.amin((1, 2), keepdim=True), x.amax((1, 2), keepdim=True)
    return spectra.with_(x=(255 * (x - low) / (high - low)).round().to(torch.uint8))


def report(runs: Sequence[Run]) -> str:
    """A row for each recipe, and the figure."""
    of: dict[str, list[Run]] = {}
    for run in runs:
        of.setdefault(run.recipe, []).append(run)

    def means(recipe: str) -> np.ndarray:
        return np.array([100 * np.mean([run.accuracy[d] for d in DATA_SETS]) for run in of[recipe]])

    rows, gains = [], {}
    for recipe, mine in of.items():
        gain = means(recipe) - means(CLASSES)
        half = float("nan")
        if len(gain) > 1:
            half = float(stdtrit(len(gain) - 1, 0.975)) * gain.std(ddof=1) / np.sqrt(len(gain))
        if recipe in (VIEWS, BOTH):
            gains[recipe] = gain.mean()
        each = [f"{100 * np.mean([run.accuracy[d] for run in mine]):.1f}" for d in DATA_SETS]
        interval = f"{gain.mean():+.1f} [{gain.mean() - half:+.1f}, {gain.mean() + half:+.1f}]"
        steps = f"{np.mean([run.steps for run in mine]):.0f}"
        rows.append([recipe, *each, f"{means(recipe).mean():.1f}", interval, steps])
    return "\n".join(
        [
            table(["taught by", *DATA_SETS, "mean", "over classes, points", "steps"], rows),
            "",
            f"Accuracy in percent of a probe on {LABELS} labels a class, the mean over {DRAWS} draws and "
            f"{len(of[CLASSES])} seeds; {runs[0].seconds:.0f} seconds of a processor for each.",
            "",
            SELECTED,
            "",
            f"best_other_gain: {max(gains.values()):+.2f}",
        ]
    )


def main() -> None:
    ask = argparse.ArgumentParser(
        description=f"{__doc__}\n{SELECTED}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ask.add_argument("--seeds", default=",".join(map(str, SEEDS)))
    ask.add_argument("--seconds", type=float, default=SECONDS, help="of a processor, for every recipe")
    ask.add_argument("--into", type=Path, help="where pictures are kept")
    ask.add_argument("--results", type=Path, help="keep every run here, and go on from there")
    ask.add_argument("--processes", type=int, default=1)
    asked = ask.parse_args()
    seeds = [int(seed) for seed in asked.seeds.split(",")]
    with tempfile.TemporaryDirectory() as temporary:
        into = asked.into or Path(temporary)
        jobs = [Job(recipe, s, asked.seconds, into) for s in seeds for recipe in (*TAUGHT, *REFERENCES)]
        runs = runs_of(jobs, run_of, lambda line: Run(**json.loads(line)), asked.results, asked.processes)
    text = report(runs)
    print(text)
    if tuple(seeds) == SEEDS and asked.seconds == SECONDS:
        record("embedded", f"## The network that ships\n\n`benchmarks/embedded.py`, {setting()}\n\n{text}")


if __name__ == "__main__":
    main()
