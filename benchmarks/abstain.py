"""Whether "not sure" is said of the right samples: caltech20, of which five classes are never labelled.

    python benchmarks/abstain.py [--draws 10]

The other fifteen classes get a few labels each and go through `compare` as a user's photos do; the model then
answers for the test photos of all twenty. An answer for an unseen class is wrong whatever it is. Measured are
- AUROC of telling the unseen classes by novelty, and by the largest probability, the usual baseline;
- accuracy among the accepted answers, and among as many with the largest probabilities;
- how often the plausible classes hold the true one, for photos of the labelled classes (promised: 90 %);
- the calibration error of the probability (ten bins of equal size), before and after the temperature.

Which classes are unseen and which photos are labelled is drawn anew each time.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

import regraft as rg
from data import NETWORKS, photos, weights
from record import record
from regraft.engine import keep_freed_memory
from regraft.features import Store
from setting import setting, table

UNSEEN = 5
LABELS = (5, 10, 0)


@dataclass(frozen=True)
class Row:
    """The figures of one draw."""

    auroc: float
    auroc_of_probability: float
    share: float
    accepted: float
    accepted_of_probability: float
    covered: float
    calibration_error: float
    calibration_error_before: float


class Answered:
    """A network with the photos that it has seen once."""

    def __init__(self, network: str, folder: Path) -> None:
        train, test = photos("caltech20", folder)
        self.train, self.test = rg.read_images(train), rg.read_images(test)
        self.backbone = rg.open_backbone(weights=weights(network))
        self.store = Store()

    def draw(self, labels: int, seed: int) -> Row:
        luck = torch.Generator().manual_seed(seed)
        classes = self.train.classes
        unseen = torch.randperm(classes.width, generator=luck)[:UNSEEN]
        order = torch.randperm(len(self.train), generator=luck)
        of = self.train.labels[order]
        rows = torch.cat(
            [order[of == c][: labels or None] for c in range(classes.width) if c not in unseen.tolist()]
        )
        named = classes.decode(self.train.labels[rows])
        labelled = rg.Domain(self.train.x[rows], named)
        problem = rg.Problem(target_labelled=labelled)
        judge, training = rg.CrossValidation(seed=seed), rg.Training(seed=seed)
        study = rg.compare(problem, None, self.backbone, training, judge, store=self.store)

        answers = study.model.answers(self.test.unlabelled(), self.store)
        before = study.model.logits(self.test.unlabelled(), self.store).softmax(1).max(1).values
        truth = classes.decode(self.test.labels)
        known = ~torch.isin(self.test.labels, unseen)
        right = torch.tensor([a == b for a, b in zip(answers.label, truth, strict=True)])
        assert answers.novelty is not None
        assert answers.accepted is not None
        assert answers.plausible is not None
        taken = int(answers.accepted.sum())
        surest = before.argsort(descending=True, stable=True)[:taken]
        true = labelled.classes.encode([name for name, k in zip(truth, known, strict=True) if k])
        held = answers.plausible[known].gather(1, true[:, None])
        return Row(
            auroc=float(roc_auc_score(~known, answers.novelty)),
            auroc_of_probability=float(roc_auc_score(~known, 1 - before)),
            share=taken / len(truth),
            accepted=float(right[answers.accepted].double().mean()),
            accepted_of_probability=float(right[surest].double().mean()),
            covered=float(held.double().mean()),
            calibration_error=calibration_error(answers.probability[known], right[known]),
            calibration_error_before=calibration_error(before[known], right[known]),
        )


def calibration_error(probability: Tensor, right: Tensor, bins: int = 10) -> float:
    """The mean distance of what was said from what came true, over bins with as many samples each."""
    order = probability.argsort()
    parts = zip(probability[order].chunk(bins), right[order].double().chunk(bins), strict=True)
    return sum(len(p) * abs(float(p.mean() - r.mean())) for p, r in parts) / len(order)


def mean(rows: Sequence[Row]) -> Row:
    return Row(*(sum(values) / len(rows) for values in zip(*map(astuple, rows), strict=True)))


def line(cell: str, m: Row) -> list[str]:
    return [
        cell,
        f"{100 * m.auroc:.1f} / {100 * m.auroc_of_probability:.1f}",
        f"{100 * m.share:.0f}",
        f"{100 * m.accepted:.1f} / {100 * m.accepted_of_probability:.1f}",
        f"{100 * m.covered:.1f}",
        f"{100 * m.calibration_error:.1f} / {100 * m.calibration_error_before:.1f}",
    ]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--draws", type=int, default=10)
    asked = options.parse_args()
    keep_freed_memory()
    lines, every = [], []
    with tempfile.TemporaryDirectory() as folder:
        for network in NETWORKS:
            answered = Answered(network, Path(folder))
            for labels in LABELS:
                rows = [answered.draw(labels, seed) for seed in range(asked.draws)]
                every += rows
                lines.append(line(f"{network}, {labels or 'all'} a class", mean(rows)))
    header = ["network, labels", "AUROC: novelty / probability", "accepted, %", "accuracy: accepted / surest"]
    m = mean(every)
    text = "\n\n".join(
        [
            table(
                [*header, "plausible hold the truth, %", "calibration error, points: after / before"], lines
            ),
            f"Means of {asked.draws} draws; {UNSEEN} of 20 classes are never labelled.",
            f"auroc: {100 * m.auroc:.1f}\n"
            f"accepted_accuracy_gain: {100 * (m.accepted - m.accepted_of_probability):+.1f}",
        ]
    )
    print(text)
    record("abstain", f"## Not sure\n\n`benchmarks/abstain.py`, {setting()}\n\n{text}")


if __name__ == "__main__":
    main()
