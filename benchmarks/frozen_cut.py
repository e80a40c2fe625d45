"""Epochs of training the last stage: on activations stored at the cut, or with the frozen part run again.

    python benchmarks/frozen_cut.py --quick

Regraft's own method and loop train on stored activations; plain loops run the frozen stages for every batch,
or train the last stage on tensors in memory, which is the least that can be had. All start from the same
weights and take the same steps. `ratio` is images a second, stored over run again.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import regraft as rg
from data import photos, weights
from record import record
from regraft.engine import Engine, fastest_engine, keep_freed_memory
from regraft.methods.fine_tuning.frozen_layers import FrozenLayers
from setting import setting, table

BATCH = 32
NAMES = {
    "stored": "regraft, stored at the cut",
    "run again": "plain loop, frozen part run for every batch",
    "alone": "plain loop, last stage alone on tensors in memory",
}


class Contest:
    """The last stage of MobileNetV2 1.0 on ants and bees, trained in three ways."""

    def __init__(self, folder: Path) -> None:
        self.photos = rg.read_images(photos("ants and bees", folder)[0])
        backbone = rg.open_backbone(weights=weights("1.0"))
        self.pixels = backbone.preprocessing(self.photos.x)
        self.engine = fastest_engine(backbone, self.pixels[:8])
        self.prefix, self.suffix = backbone.cut(len(backbone) - 1)
        self.seen = rg.embed(self.prefix, self.photos, None, self.engine)
        width = self.suffix.features(self.seen.x[:1]).shape[1]
        self.head = nn.Linear(width, self.photos.classes.width)

    def stored(self, steps: int) -> None:
        """Regraft's method as it is, from the problem at the cut to the fitted model."""
        method = FrozenLayers(trained=1, held_out=0.0, epochs=0, least_steps=steps, batch_size=BATCH)
        training = rg.Training(engine=Engine(self.engine.device))
        method.fit(rg.Problem(target_labelled=self.seen), self.suffix, training)

    def run_again(self, steps: int) -> None:
        self._trained(steps, lambda rows: self.engine.run(self.prefix, self.pixels[rows]).clone())

    def alone(self, steps: int) -> None:
        self._trained(steps, lambda rows: self.seen.x[rows])

    def _trained(self, steps: int, batch: Callable[[Tensor], Tensor]) -> None:
        net = nn.Sequential(self.suffix.copied().eval(), self.head)
        optimiser = torch.optim.AdamW(net.parameters(), lr=1e-4)
        for _ in range(steps):
            rows = torch.randperm(len(self.photos))[:BATCH]
            optimiser.zero_grad(set_to_none=True)
            cross_entropy(net(batch(rows)), self.photos.labels[rows]).backward()
            optimiser.step()


def images_a_second(work: Callable[[int], None], steps: int) -> float:
    """Of the steps after the first two, so that what is done once is not counted."""
    seconds = []
    for taken in (2, 2 + steps):
        start = time.perf_counter()
        work(taken)
        seconds.append(time.perf_counter() - start)
    return BATCH * steps / (seconds[1] - seconds[0])


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--quick", action="store_true", help="one round of eight steps")
    ask.add_argument("--draws", type=int, default=5, help="rounds; their median counts")
    ask.add_argument("--epochs", type=int, default=5, help="epochs in a round")
    ask.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = ask.parse_args()
    keep_freed_memory()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        contest = Contest(Path(folder))
        steps = 8 if options.quick else options.epochs * (len(contest.photos) // BATCH)
        ways = {"stored": contest.stored, "run again": contest.run_again, "alone": contest.alone}
        rounds = [
            {name: images_a_second(work, steps) for name, work in ways.items()}
            for _ in range(1 if options.quick else options.draws)
        ]
    speed = {name: median(measured[name] for measured in rounds) for name in ways}
    ratio = median(measured["stored"] / measured["run again"] for measured in rounds)
    over = median(measured["alone"] / measured["stored"] for measured in rounds)
    rows = [
        [told, f"{speed[name]:.0f}", f"{speed['stored'] / speed[name]:.2f}"] for name, told in NAMES.items()
    ]
    told = "\n".join(
        [
            f"MobileNetV2 1.0 from {contest.suffix.names[0]} on, {tuple(contest.seen.x.shape[1:])} numbers",
            f"an image, batches of {BATCH}; the frozen part runs as {contest.engine}.",
            "",
            table(["the last stage, trained by", "images/s", "regraft is faster by"], rows),
            "",
            f"time_over_suffix_alone: {over:.2f}",
            f"ratio: {ratio:.2f}",
        ]
    )
    if not options.quick:
        record("frozen_cut", f"## Frozen stages\n\n`benchmarks/frozen_cut.py`, {setting()}\n\n{told}")
    print(told)


if __name__ == "__main__":
    main()
