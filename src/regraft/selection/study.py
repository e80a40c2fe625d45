"""What a comparison found: the table, the verdict, the model, and how it was obtained."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ..candidates import Candidate, Plan
from ..doctor import Examination
from ..domain import Domain
from ..intervals import Interval
from ..model import Model
from ..output.metrics import title
from ..text import aligned, seconds_text
from .belonging import Belonging
from .choice import Result
from .curve import LearningCurve
from .estimate import NAME, bias_corrected
from .held_out import (
    HeldOutAnswer,
    HeldOutEstimate,
    held_out_answers,
    held_out_estimates,
    most_off,
    most_uncertain,
    most_wrong,
)
from .nested import NAME as NESTED
from .scores import ClassScores, Scores, evaluate
from .sealed import Reading, SealedTest, note_reading, reading_now, times_read
from .verdict import Verdict

HARDEST = 12  # samples that are shown as the most wrong and as the most uncertain


@dataclass(eq=False)
class Study:
    """The outcome of `compare`; printing it gives the table, the criterion and the verdict.

    labelled: the samples that were given. results: every candidate's row. winner: the row with the best score
    among all. handed_over: the row whose recipe was refitted on all labels to give `model`, by `rule`.
    nested: what the whole procedure scores by nested cross-validation, where there was time for it.
    transfer: the paired gain of the best that borrows over the best that does not; None where nothing was
    borrowed. tuning: likewise of the best that changes the network over the best that only reads its
    features. pool: likewise of the best that learns from samples without labels as well over the best that
    does not. test: the scores on a sealed test set, if `read_test` was called; readings: how often that
    set has been read, and unread: how many of its files could not be. examination: what is to be said of
    the data. belonging: what tells the pool from the labelled samples, where there is one.
    """

    labelled: Domain
    plan: Plan
    judge: str
    metric: str
    results: list[Result]
    winner: Result
    handed_over: Result
    rule: str
    transfer: Verdict | None
    tuning: Verdict | None
    pool: Verdict | None
    nested: Interval | None
    made: Callable[[], tuple[Model, Domain]]
    learned: Callable[[], LearningCurve | None]
    left_out: list[tuple[str, str]] = field(default_factory=list)
    timing: dict[str, float] = field(default_factory=dict)
    setting: dict[str, Any] = field(default_factory=dict)
    test: Scores | None = None
    readings: tuple[Reading, ...] = ()
    unread: int = 0
    examination: Examination | None = None
    belonging: Belonging | None = None

    @property
    def unproven(self) -> bool:
        """Whether a transfer was handed over that did not earn it."""
        kept = self.handed_over.candidate
        asked = self.pool if kept.adapts else self.transfer
        return kept.borrows and asked is not None and asked.outcome != "helps"

    @property
    def standing(self) -> str:
        """Why something unproven was handed over, in words; nothing where it is proven."""
        if not self.unproven:
            return ""
        return "as you asked" if self.rule == "best" else "as likely the better one"

    @property
    def model(self) -> Model:
        """The model handed over, refitted on all labels (once, when it is first asked for)."""
        return self._refitted[0]

    @property
    def features(self) -> Domain:
        """The labelled samples as the model handed over sees them before its head."""
        return self._refitted[1]

    @cached_property
    def _refitted(self) -> tuple[Model, Domain]:
        model, features = self.made()
        model.provenance["study"] = self.summary()
        return model, features

    def summary(self) -> dict[str, Any]:
        """What a model should remember of where it came from."""
        scores = self.handed_over.scores
        score = scores.interval(self.metric)
        return {
            "candidate": self.handed_over.candidate.name,
            "judge": self.judge,
            "metric": self.metric,
            "score": score.to_json(),
            "expected": {**self.expected.to_json(), "by": NAME},
            "nested": self.nested and {**self.nested.to_json(), "by": NESTED},
            "unproven": self.unproven,
            "standing": self.standing,
            "verdict": self.transfer and self.transfer.to_json(),
            "sentence": self.sentence(),
            **self._by_class(scores),
            "candidates": [
                {
                    "name": r.candidate.name,
                    "borrows": r.candidate.borrows,
                    "starts_from": start_of(r.candidate),
                    "score": r.scores.value(self.metric),
                }
                for r in sorted(self.results, key=lambda r: -r.scores.value(self.metric))
            ],
            "left_out": [{"candidate": name, "reason": reason} for name, reason in self.left_out],
            "unreadable": len(self.labelled.left_out),
            "test": self.test
            and {
                "samples": len(self.test),
                "read": times_read(self.readings),
                "unreadable": self.unread,
                **self.test.interval(self.metric).to_json(),
            },
        }

    @cached_property
    def expected(self) -> Interval:
        """What the model handed over will score on new samples: its own score, less for having been picked.

        By `bias_corrected` over the rows that it was the best of: all that borrow, all that do not, or,
        where the best score was asked for, all.
        """
        kept = self.handed_over.candidate
        alike = kept.borrows, kept.adapts
        rivals = [
            r
            for r in self.results
            if self.rule == "best" or (r.candidate.borrows, r.candidate.adapts) == alike
        ]
        untuned = self.tuning is not None and self.tuning.outcome != "helps"
        if self.rule != "best" and untuned and not kept.adapts:
            rivals = [r for r in rivals if not r.candidate.tunes]

        return bias_corrected([r.scores for r in rivals], self.metric)

    def read_test(self, test: Domain | SealedTest, record: Path | None = None) -> Scores:
        """The scores of the model handed over on samples kept for this, less those that were fitted.

        record: a folder that remembers the readings of every test set, by whatever study. Without it, nothing
        is known of earlier ones, and the study says so.
        """
        sealed = test if isinstance(test, SealedTest) else SealedTest.of(test, self.labelled)
        self.test = evaluate(self.model, sealed.samples)
        self.unread = len(sealed.samples.left_out)
        if self.examination is not None:
            self.examination += sealed.findings
        name, value = self.handed_over.candidate.name, self.test.value(self.metric)
        reading = reading_now(sealed.fingerprint, name, len(self.test), self.metric, value)
        self.readings = () if record is None else note_reading(reading, record)
        return self.test

    @cached_property
    def answers(self) -> list[HeldOutAnswer]:
        """What the row handed over said of every judged sample, held out."""
        return held_out_answers(self.labelled, self.handed_over)

    @cached_property
    def estimates(self) -> list[HeldOutEstimate]:
        """The same where answers are more or less wrong: numbers, and several labels."""
        return held_out_estimates(self.labelled, self.handed_over)

    @property
    def most_off(self) -> list[HeldOutEstimate]:
        """The samples whose estimate was the farthest off."""
        return most_off(self.estimates, HARDEST)

    @property
    def most_wrong(self) -> list[HeldOutAnswer]:
        """The samples whose own label was believed the least."""
        return most_wrong(self.answers, HARDEST)

    @property
    def most_uncertain(self) -> list[HeldOutAnswer]:
        """The samples whose answer was the least sure."""
        return most_uncertain(self.answers, HARDEST)

    @cached_property
    def hashes(self) -> dict[str, Any]:
        """What tells whether the samples, the labels and the networks are the same."""
        networks = {id(r.candidate.backbone): r.candidate.backbone for r in self.results}.values()
        return {
            "data": self.labelled.fingerprint(),
            "backbones": {network.name: network.fingerprint() for network in networks},
        }

    @cached_property
    def curve(self) -> LearningCurve | None:
        """How the score of what was handed over grows with the labels; None where that cannot be told.

        Computed when it is first asked for, from activations that are there: networks are not trained for it.
        """
        return self.learned()

    def table(self) -> str:
        """The candidates, best first, with 95 % intervals."""
        rows = []
        for r in sorted(self.results, key=lambda r: -r.scores.value(self.metric)):
            mark = "▸ " if r is self.handed_over else "  "
            told = r.scores.columns().values()
            rows.append([mark + r.candidate.name, *told, seconds_text(r.seconds), start_of(r.candidate)])
        header = ["candidate", *self.handed_over.scores.columns(), "seconds", "starts from"]
        return aligned(header, rows)

    def sentence(self) -> str:
        """The verdict in one sentence."""
        if self.transfer is None and self.pool is None:
            return "Nothing was borrowed: the table compares ways to use the labels alone."
        told = (("Transfer", self.transfer), ("The unlabelled pool", self.pool))
        return " ".join(sentence_of(what, verdict) for what, verdict in told if verdict is not None)

    def __str__(self) -> str:
        kept = self.handed_over
        score = kept.scores.interval(self.metric)
        lines = [
            str(self.labelled),
            "",
            self.table(),
            "",
            f"Judge: {self.judge}; 95 % intervals in the table, 93 % bounds in the verdict.",
            f"Best score: {self.winner.candidate.name}, chosen by "
            f"{title(self.metric)}; the best of many looks better than it is.",
            f"Verdict: {self.sentence()}",
        ]
        if self.tuning is not None:
            lines.append(f"Changing the network: {self.tuning}.")
        standing = f", {self.standing}" if self.standing else ""
        lines.append(
            f"Handed over{standing}: {kept.candidate.name}, {title(self.metric)} {score}, "
            "refitted on all labels."
        )
        again = f"; {self.nested}, by {NESTED}" if self.nested else ""
        lines.append(f"Expected on new samples: {self.expected}, by {NAME}{again}.")
        unsure = [v for v in (self.transfer, self.pool) if v is not None and v.outcome == "no evidence"]
        if unsure and not kept.candidate.borrows:
            ours = " and ".join(v.ours for v in unsure)
            lines.append(f"More labels may prove {ours}; --hand-over best takes the best score unproven.")
        lines += [f"Left out: {name}: {reason}." for name, reason in self.left_out]
        if self.examination is not None:
            lines += [f"Data: {finding}." for finding in self.examination.urgent]
        if self.test is not None:
            on_test = self.test.interval(self.metric)
            lines.append(f"Test set ({len(self.test)} samples, {times_read(self.readings)}): {on_test}.")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Everything above, for machines."""
        return {
            "problem": str(self.labelled),
            "output": self.labelled.asked.to_json(),
            "classes": self._by_class(self.handed_over.scores).get("labels"),
            "rule": self.rule,
            "plan": self.plan.to_json(),
            "judge": self.judge,
            "metric": self.metric,
            "results": [r.to_json() for r in self.results],
            "winner": self.winner.candidate.name,
            "handed_over": self.handed_over.candidate.name,
            "unproven": self.unproven,
            "standing": self.standing,
            "expected": {**self.expected.to_json(), "by": NAME},
            "nested": self.nested and {**self.nested.to_json(), "by": NESTED},
            "verdict": self.transfer and {**self.transfer.to_json(), "sentence": self.sentence()},
            "tuning": self.tuning and self.tuning.to_json(),
            "pool": self.pool and self.pool.to_json(),
            "belonging": self.belonging and self.belonging.to_json(),
            "left_out": [{"candidate": name, "reason": reason} for name, reason in self.left_out],
            "unreadable": [{"sample": name, "reason": reason} for name, reason in self.labelled.left_out],
            "seconds": {name: round(value, 3) for name, value in self.timing.items()},
            "setting": self.setting,
            "hashes": self.hashes,
            "curve": self.curve and self.curve.to_json(),
            "test": self.test and self.test.to_json(),
            "test_readings": [asdict(reading) for reading in self.readings],
            "most_wrong": [a.to_json() for a in self.most_wrong],
            "most_uncertain": [a.to_json() for a in self.most_uncertain],
            "answers": [a.to_json() for a in self.answers or self.estimates],
            "most_off": [a.to_json() for a in self.most_off],
            "examination": self.examination and self.examination.to_json(),
        }

    def report(self, path: str | Path) -> Path:
        """Write the study as one HTML file that opens offline; it appears whole or not at all."""
        from ..report import write

        return write(self, path)

    def save(self, folder: str | Path, report: bool = False, thin: bool = False) -> Path:
        """Write the model folder, with study.json in it, and report.html if it is asked for.

        thin: leave out what the model shares with the network that it was fitted on (see `Model.save`).
        """
        # again, for a test may have been read since the model was fitted
        self.model.provenance["study"] = self.summary()
        beside = {"study.json": json.dumps(self.to_json(), indent=1, ensure_ascii=False)}
        if report:
            from ..report.page import page

            beside["report.html"] = page(self)
        return self.model.save(folder, beside, on=self.handed_over.candidate.backbone if thin else None)

    def _by_class(self, scores: Scores) -> dict[str, Any]:
        """How many labels each class has, and its recall, where there are classes."""
        if not isinstance(scores, ClassScores):
            return {}
        counts = self.labelled.classes.counts(self.labelled.labels).tolist()
        return {
            "labels": dict(zip(scores.names, counts, strict=True)),
            "recall": {name: recall and recall.to_json() for name, recall in scores.recalls().items()},
        }


def start_of(candidate: Candidate) -> str:
    """What a candidate starts from, in words."""
    if not candidate.looks:
        return "nothing"
    pretrained = candidate.method.borrows and candidate.backbone.pretrained
    if candidate.adapts:
        return "pretrained, and the pool" if pretrained else "these labels, and the pool"
    return "pretrained" if candidate.borrows else "these labels alone"


def sentence_of(what: str, verdict: Verdict) -> str:
    """Whether it helps, in a sentence.

    >>> found = Verdict("RidgeProbe", "Majority", Interval(0.1, 0.05, 0.2), "accuracy")
    >>> print(sentence_of("Transfer", found))
    Transfer helps: RidgeProbe against Majority, +10.0 points [+5.0, +20.0] of accuracy.
    """
    says = {
        "helps": f"{what} helps",
        "no evidence": f"No evidence that {what[0].lower()}{what[1:]} helps",
        "hurts": f"{what} hurts",
    }[verdict.outcome]
    points = verdict.gain.points()
    return f"{says}: {verdict.ours} against {verdict.theirs}, {points} of {title(verdict.metric)}."
