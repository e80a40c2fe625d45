"""What came of adapting: candidates with their label-free scores, the choice or the refusal, the model."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ..candidates import Candidate, Plan, short_names
from ..diagnosis import KindOfShift
from ..domain import Domain
from ..intervals import Interval
from ..model import Model
from ..output import Output
from ..output.metrics import title
from ..text import aligned, counted, seconds_text
from .label_free import LABEL_FREE
from .label_free.stack import Decision
from .leave_one_out import LeftOut
from .scores import Scores, evaluate
from .settling import Settling


@dataclass(frozen=True, eq=False)
class Tried:
    """A row: a candidate, what label-free judges say of it, what speaks against taking it, and what it cost.

    on_labels: its scores on the few labelled samples of the target, where there are some; gain: the paired
    difference to the source's own classifier, between bounds that hold for all rows at once. learns: whether
    it learns from such samples, each judged by a fit without it.
    """

    candidate: Candidate
    scores: dict[str, float]
    against: tuple[str, ...]
    seconds: float
    on_labels: Scores | None = None
    gain: Interval | None = None
    learns: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            **self.candidate.to_json(),
            "family": self.candidate.method.family(),
            "adapts": self.candidate.adapts,
            "learns_from_labels_of_target": self.learns,
            "label_free": self.scores,
            "against": list(self.against),
            "seconds": round(self.seconds, 3),
            "on_labels": self.on_labels and self.on_labels.to_json(),
            "gain": self.gain and self.gain.to_json(),
        }


@dataclass(eq=False)
class Adaptation:
    """The outcome of `adapt`; printing it gives what differs, the table, and the choice with its reasons.

    source, target: what was given; of a source whose samples are gone its model. labelled: the few labelled
    samples of the target, if there were some.
    shift: what kind of shift explains how they differ. rows: the candidates, those that use the source
    as it is first. decision: which row was handed over and why. settling: which labels would tell more.
    unseen: where there are several sources, what to expect of them on a domain that is not among them.
    """

    source: Domain | Model
    target: Domain
    labelled: Domain | None
    plan: Plan
    judge: str
    metric: str
    shift: KindOfShift
    rows: list[Tried]
    decision: Decision
    settling: Settling | None
    made: Callable[[], Model]
    left_out: list[tuple[str, str]] = field(default_factory=list)
    setting: dict[str, Any] = field(default_factory=dict)
    test: Scores | None = None
    unseen: LeftOut | None = None

    @property
    def output(self) -> Output:
        """The kind of answer that is asked for."""
        return asked_of(self.source)

    @property
    def source_told(self) -> str:
        """The source in words, or what is left of it."""
        if isinstance(self.source, Domain):
            return str(self.source)
        return f"a model whose samples are gone ({self.source.summary})"

    @property
    def handed_over(self) -> Tried:
        """The row whose recipe was refitted to all that it learns from to give `model`."""
        return self.rows[self.decision.chosen]

    @cached_property
    def model(self) -> Model:
        """The model handed over, refitted to all that it learns from (once, when it is first asked for)."""
        model = self.made()
        model.provenance["adaptation"] = self.summary()
        return model

    @property
    def names(self) -> list[str]:
        """What the rows are called; a network that all of them have is not repeated."""
        return short_names([row.candidate for row in self.rows])

    @property
    def backbones(self) -> list[str]:
        """The names of those that the candidates look through."""
        return list(dict.fromkeys(row.candidate.backbone.name for row in self.rows))

    def summary(self) -> dict[str, Any]:
        """What a model should remember of where it came from."""
        return {
            "candidate": self.handed_over.candidate.name,
            "judge": self.judge,
            "sentence": self.sentence(),
            "decision": self.decision.to_json(),
            "shift": self.shift.to_json(),
            "labels_of_target": 0 if self.labelled is None else len(self.labelled),
            "candidates": [{"name": row.candidate.name, "against": list(row.against)} for row in self.rows],
        }

    def sentence(self) -> str:
        """The choice in one sentence."""
        name, why = self.names[self.decision.chosen], "; ".join(self.decision.reasons)
        if self.handed_over.learns:
            return f"Learn from the labels of the target: {name}: {why}."
        return f"{'Adapt' if self.decision.adapts else 'Keep the source model'}: {name}: {why}."

    def table(self) -> str:
        """The candidates with their label-free scores, in the order in which they were tried."""
        judges = [judge for judge in LABEL_FREE if any(judge.name in row.scores for row in self.rows)]
        rows = []
        for name, row in zip(self.names, self.rows, strict=True):
            mark = "▸ " if row is self.handed_over else "  "
            told = [_cell(row.scores.get(judge.name)) for judge in judges]
            if self.labelled is not None:
                told.append("" if row.on_labels is None else str(row.on_labels.interval(self.metric)))
                told.append("" if row.gain is None else row.gain.points())
                told.append("learns" if row.learns else "")
            rows.append([mark + name, *told, seconds_text(row.seconds)])
        labelled: list[str] = []
        if self.labelled is not None:
            labelled = [f"{title(self.metric)} on labels", "gain", "from labels"]
        header = ["candidate", *(judge.short or judge.name for judge in judges), *labelled, "seconds"]
        long = ", ".join(f"{judge.short} {judge.name}" for judge in judges if judge.short)
        note = f" {self.empty}" if self.empty else ""
        return f"{aligned(header, rows)}\n\nHigher is better. {long}.{note}"

    @property
    def against(self) -> list[tuple[str, str]]:
        """The names of the rows that something speaks against, and what that is."""
        told = zip(self.names, self.rows, strict=True)
        return [(name, "; ".join(row.against)) for name, row in told if row.against]

    @property
    def empty(self) -> str:
        """Why some cells of the table are empty, where some are."""
        tried = [row for row in self.rows if row.scores]
        shown = [j.name for j in LABEL_FREE if j.refits and any(j.name in row.scores for row in tried)]
        skipped = {name: None for name in shown for row in tried if name not in row.scores}
        if not skipped:
            return ""
        return f"No {', '.join(skipped)} of what changes the network, which it would have to do again."

    def __str__(self) -> str:
        lines = [f"Source: {self.source_told}", f"Target: {self.target}"]
        if self.labelled is not None:
            lines.append(f"Labelled samples of the target: {self.labelled}")
        lines += [
            f"Backbone: {', '.join(self.backbones)}",
            "",
            "What differs",
            *(f"  {sentence}" for sentence in self.shift.sentences),
            "",
            self.table(),
            "",
        ]
        lines.append(f"Judge: {self.judge}.")
        if self.labelled is None:  # else the column of gains tells
            lines += [f"Not taken: {name}: {why}." for name, why in self.against]
        lines.append(f"Verdict: {self.sentence()}")
        if self.labelled is None:
            lines.append(
                "No label of the target was seen: how often the model is right there is not known"
                + (
                    " (the source's own samples say nothing of it)."
                    if isinstance(self.source, Domain)
                    else "."
                )
            )
        if self.settling is not None:
            lines.append(f"To be sure: {self.settling}.")
        lines += [f"Left out: {name}: {reason}." for name, reason in self.left_out]
        if self.unseen is not None:
            lines += ["", "Leaving one source out", str(self.unseen), ""]
        if self.test is not None:
            on_test = self.test.interval(self.metric)
            lines.append(f"Test set ({counted(len(self.test), 'sample')}): {on_test}.")
        return "\n".join(lines)

    def read_test(self, test: Domain) -> Scores:
        """The scores of the model handed over on labelled samples of the target that were kept for this."""
        self.test = evaluate(self.model, test)
        return self.test

    def to_json(self) -> dict[str, Any]:
        """Everything above, for machines."""
        return {
            "source": self.source_told,
            "target": str(self.target),
            "output": self.output.to_json(),
            "plan": self.plan.to_json(),
            "judge": self.judge,
            "metric": self.metric,
            "shift": self.shift.to_json(),
            "results": [row.to_json() for row in self.rows],
            "handed_over": self.handed_over.candidate.name,
            "decision": {**self.decision.to_json(), "sentence": self.sentence()},
            "settling": self._settling(),
            "left_out": [{"candidate": name, "reason": reason} for name, reason in self.left_out],
            "unreadable": [{"sample": name, "reason": reason} for name, reason in _left_out(self.target)],
            "setting": self.setting,
            "unseen": self.unseen and self.unseen.to_json(),
            "test": self.test and self.test.to_json(),
        }

    def report(self, path: str | Path) -> Path:
        """Write the study as one HTML file that opens offline; it appears whole or not at all."""
        from ..report import put
        from ..report.adaptation import page

        return put(page(self), path)

    def save(self, folder: str | Path, report: bool = False) -> Path:
        """Write the model folder, with study.json in it, and report.html if it is asked for."""
        # again, for a test may have been read since the model was fitted
        self.model.provenance["adaptation"] = self.summary()
        beside = {"study.json": json.dumps(self.to_json(), indent=1, ensure_ascii=False)}
        if report:
            from ..report.adaptation import page

            beside["report.html"] = page(self)
        return self.model.save(folder, beside)

    def _settling(self) -> dict[str, Any] | None:
        """With the names of the samples to label."""
        if self.settling is None:
            return None
        from ..samples import sample_names

        names = sample_names(self.target.x)
        return {**self.settling.to_json(), "samples": [names[row] for row in self.settling.rows]}


def asked_of(source: Domain | Model) -> Output:
    """The kind of answer that a source's samples have, or that its model gives."""
    return source.asked if isinstance(source, Domain) else source.output


def _cell(score: float | None) -> str:
    return "" if score is None or score != score else f"{score:.2f}"


def _left_out(domain: Domain) -> Sequence[tuple[str, str]]:
    return domain.left_out
