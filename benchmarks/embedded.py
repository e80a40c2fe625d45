"""Whether the network that ships would be a better one if its glyphs had taught it otherwise.

    python benchmarks/embedded.py --seconds 20 --seeds 0
    python benchmarks/embedded.py --results embedded.jsonl --processes 2

`scripts/pretrain_glyphs.py` teaches it the classes of glyphs, of which most are printed on leaves. Here the
same glyphs teach the same network for the same number of a processor's seconds, which include the making of
pictures, one of four things: their classes in greys; what two variations of one glyph in greys share
(SimCLR's objective); both at once, of which each has half of the weight; and their classes on leaves. Each is
then judged by a logistic probe on 10 labels a class of data that it has not seen, five draws of labels each:
handwritten digits, small photographs, photographs squashed to 32 pixels, and spectra of spoken digits as
pictures; and four sets of which nothing was seen while the last recipe was found. Beside them random weights,
the network as it ships, which has learned for longer, and raw pixels.

`gain_on_leaves` is by how many points the recipe that ships is ahead of classes in greys on the four sets
that were not looked at: the lower end of the interval of its mean over seeds.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.special import stdtrit
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import regraft as rg
from data import DATA, pacs
from digit_sets import data_set
from jobs import runs_of
from record import record
from regraft.backbone import Backbone
from regraft.backbones import pixels, small_convnet
from regraft.backbones.glyphs import SIZE, WIDTH, rebuild_glyphs
from regraft.methods import METHODS
from regraft.pretexts.contrastive.projector import projector
from regraft.pretexts.contrastive.simclr import nt_xent
from semi import BANDS, FRAMES, drawn, whole
from setting import setting, table

sys.path.append(str(Path(__file__).resolve().parents[1] / "scripts"))
import glyph_pictures as pictures_of
import pretrain_glyphs as script

SELECTED = """How a number was selected:

- every recipe has the optimiser, the peak rate, the schedule and the batch of the script, and what SimCLR's
  objective needs has its defaults. Probes choose their strength by folds of the labels.
- that glyphs are printed on leaves was found by tests of the four sets on the left with two seeds, where
  clouds behind the glyphs, other glyphs behind them, and leaves alone were worse: an oracle's choice there.
  The figure is of the four sets on the right, of which nothing was seen before."""
CLASSES, VIEWS, BOTH, LEAVES = "classes", "two variations of one", "both", "classes on leaves"
RANDOM, SHIPPED, RAW = "random weights", "as it ships", "raw pixels"
TAUGHT, REFERENCES = (CLASSES, VIEWS, BOTH, LEAVES), (RAW, RANDOM, SHIPPED)
SEEN, UNSEEN = ("mnist", "cifar10", "caltech20", "fsdd"), ("usps", "mnist_m", "cartoon", "art_painting")
DATA_SETS = (*SEEN, *UNSEEN)
LABELS, DRAWS, SEEDS, SECONDS = 10, 5, (0, 1, 2), 120.0
TEMPERATURE, COMPARED, OUT = 0.2, 256, 64
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


def pretrained(recipe: str, seed: int, seconds: float) -> tuple[Backbone, int]:
    """The network after so many seconds of a recipe, and how many steps those were."""
    start = time.process_time()
    glyphs, names = pictures_of.render(pictures_of.FONTS)
    classes = sorted(set(names))
    y = torch.tensor([classes.index(name) for name in names])
    rng = torch.Generator().manual_seed(seed)
    leaves = pictures_of.render_leaves(script.LEAVES, rng) if recipe == LEAVES else None
    torch.manual_seed(seed)
    network = rebuild_glyphs() if recipe == LEAVES else small_convnet(SIZE, "grey", WIDTH)
    network.to(memory_format=torch.channels_last).train()
    named, compared = nn.Linear(8 * WIDTH, len(classes)), projector(8 * WIDTH, COMPARED, OUT)
    parameters = [*network.parameters(), *named.parameters(), *compared.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=script.LEARNING_RATE, weight_decay=script.WEIGHT_DECAY)

    def varied(rows: Tensor) -> Tensor:
        if leaves is not None:
            return pictures_of.vary(glyphs[rows], leaves, rng)
        return pictures_of.as_bytes(pictures_of.greys(pictures_of.written(glyphs[rows], rng), rng))

    def loss_of(rows: Tensor) -> Tensor:
        views = [varied(rows) for _ in range(2 if recipe in (VIEWS, BOTH) else 1)]
        seen = network(torch.cat(views)).flatten(1)
        loss = torch.zeros(())
        if recipe != VIEWS:
            loss = loss + cross_entropy(named(seen), y[rows].repeat(len(views)))
        if recipe in (VIEWS, BOTH):
            loss = loss + nt_xent(*compared(seen).chunk(2), TEMPERATURE)
        return loss if recipe != BOTH else loss / 2

    for steps, rows in enumerate(script.batches(y, 10**9, rng), 1):  # noqa: B007  read after the loop
        past = (time.process_time() - start) / seconds
        if past >= 1:
            break
        for group in optimiser.param_groups:  # one cycle by time, as the script's is by steps
            group["lr"] = script.LEARNING_RATE * one_cycle(past)
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
    train, test = halves(name, job.into)
    test = rg.embed(network, test[torch.arange(min(TESTED, len(test)))])
    names, found = np.array(test.classes.decode(test.labels)), []
    for draw in range(DRAWS):
        few = drawn(train, LABELS, 1000 * job.seed + draw).target_labelled
        model = METHODS["LinearProbe"]().fit(rg.Problem(target_labelled=few), network)
        with torch.inference_mode():
            said = model.head(test.x.flatten(1)).argmax(1)  # type: ignore[union-attr]
        found.append(float((np.array(model.output.decode(said)) == names).mean()))
    return float(np.mean(found))


def halves(name: str, into: Path) -> tuple[rg.Domain, rg.Domain]:
    """The samples that labels are drawn from, and those that score."""
    if name in ("usps", "mnist_m"):
        digits = data_set(name, DATA)
        return digits.train, digits.test
    if name in ("cartoon", "art_painting"):
        paintings = rg.read_images(pacs(name, into))
        order = torch.randperm(len(paintings), generator=torch.Generator().manual_seed(0))
        train, test = (paintings[half] for half in order.chunk(2))
        return train, test
    given = whole(name, into)
    if name == "fsdd":
        return as_pictures(given.train), as_pictures(given.test)
    return given.train, given.test


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

    def gain(recipe: str, among: Sequence[str]) -> tuple[float, float, float]:
        """Over classes in greys on these sets, in points: the mean over seeds, and Student's interval."""
        each = np.array(
            [
                100 * np.mean([mine.accuracy[name] - classes.accuracy[name] for name in among])
                for mine, classes in zip(of[recipe], of[CLASSES], strict=True)
            ]
        )
        if len(each) == 1:
            return float(each[0]), float("nan"), float("nan")
        half = float(stdtrit(len(each) - 1, 0.975)) * each.std(ddof=1) / np.sqrt(len(each))
        return each.mean(), each.mean() - half, each.mean() + half

    rows = []
    for recipe, mine in of.items():
        each = [f"{100 * np.mean([run.accuracy[name] for run in mine]):.1f}" for name in DATA_SETS]
        gains = ("{:+.1f} [{:+.1f}, {:+.1f}]".format(*gain(recipe, among)) for among in (SEEN, UNSEEN))
        rows.append([recipe, *each, *gains, f"{np.mean([run.steps for run in mine]):.0f}"])
    return "\n".join(
        [
            table(["taught by", *DATA_SETS, "over classes, left four", "right four", "steps"], rows),
            "",
            f"Accuracy in percent of a probe on {LABELS} labels a class, the mean over {DRAWS} draws and "
            f"{len(of[CLASSES])} seeds; {runs[0].seconds:.0f} seconds of a processor for each.",
            "",
            SELECTED,
            "",
            f"gain_on_leaves: {gain(LEAVES, UNSEEN)[1]:+.2f}",
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
