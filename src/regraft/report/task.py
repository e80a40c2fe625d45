"""What was asked, what was given, what was planned, and what was left out."""

from ..output import Classes
from ..output.metrics import title
from ..samples import describe
from ..selection import Study
from . import figures
from .blocks import SENTENCE, cell, column, counted, facts, head, list_of, name_of, numbers, table
from .labels import counts
from .markup import Content, Html, short, tag
from .numbers import ranges

SHOWN = 10  # of what was left out, before the rest is folded


def asked(study: Study) -> Content:
    """The question, in the words of whoever asked."""
    rule = {
        "best": "the best score, proven or not",
    }.get(study.rule, "the best that borrows, if its gain is proven; otherwise the best that borrows nothing")
    if study.rule != "best" and study.pool is not None:
        rule += "; before all, the best that uses the pool, if its gain over the best without it is proven"
        if study.rule == "likely":
            rule += ", or likely and the pool looks like the labelled samples"
    borrowing = (r.candidate for r in study.results if r.candidate.borrows)
    borrowed = {c.backbone.name: c.backbone for c in borrowing if c.backbone.pretrained}
    lent = [
        tag("p", tag("b", name_of(b.name)), ": ", short(b.licence_line, SENTENCE)) for b in borrowed.values()
    ]
    names = study.labelled.asked.names
    return facts(
        [
            (
                study.labelled.asked.task,
                [[", " if i else None, name_of(name, 40)] for i, name in enumerate(names[:30])],
            ),
            ("… and", f"{len(names) - 30} more" if len(names) > 30 else None),
            ("Judged by", [title(study.metric), ", in ", study.judge]),
            ("To borrow from", lent or "nothing"),
            ("Handed over", rule),
            ("Time for training", _budget(study)),
            (
                "Command",
                tag("code", short(study.setting["command"], 4 * SENTENCE))
                if "command" in study.setting
                else None,
            ),
        ]
    )


def given(study: Study) -> Content:
    """The samples: how many of each class, on which side, and which could not be used."""
    labelled = study.labelled
    roles = {"unlabelled": "unlabelled pool", "source": "labelled source", "target": "unlabelled target"}
    others = [
        f"{n:,} in the {roles.get(role, role.replace('_', ' '))}"
        for role, n in study.setting.get("given", {}).items()
        if role != "target_labelled"
    ]
    groups = None if labelled.group is None else len(labelled.group.unique())
    left_out = labelled.left_out
    return [
        facts(
            [
                ("Labelled", f"{describe(labelled.x)}: {labelled.asked.describe()}"),
                ("Besides", "; ".join(others) or None),
                ("The pool", None if study.belonging is None else str(study.belonging)),
                (
                    "Test set",
                    None if study.test is None else f"{len(study.test):,} samples, read at the end",
                ),
                ("Groups", None if groups is None else f"{groups:,}, which folds never split"),
                ("Not used", f"{counted(len(left_out), 'sample')}, because:" if left_out else None),
            ]
        ),
        list_of(left_out, SHOWN) if left_out else None,
        _labels_of_each(study) if isinstance(labelled.output, Classes) else None,
        ranges(study),
        counts(study),
    ]


def _labels_of_each(study: Study) -> Html:
    labelled = study.labelled
    counts = labelled.classes.counts(labelled.labels).tolist()
    on_test = None if study.test is None else labelled.classes.counts(study.test.y).tolist()
    rows = [
        [
            head(name_of(name, 36)),
            cell(f"{n:,}", n),
            *([] if on_test is None else [cell(f"{on_test[i]:,}", on_test[i])]),
            cell(figures.bar(n, max(counts)), class_="wide"),
        ]
        for i, (name, n) in enumerate(zip(labelled.classes.names, counts, strict=True))
    ]
    header = [column("class"), numbers("labels"), *([] if on_test is None else [numbers("test")]), column("")]
    return table("Labels of each class", header, rows, class_="narrow")


def plan(study: Study) -> Content:
    """Every candidate with the reason for trying it, and its reference."""
    rows = [
        [
            head(name_of(c.name)),
            cell("borrows" if c.borrows else "baseline"),
            cell([c.reason, " ", tag("small", c.method.reference)], class_="text"),
        ]
        for c in study.plan.candidates
    ]
    notes = [tag("p", short(note, SENTENCE), class_="note") for note in study.plan.notes]
    return [
        table("Candidates and reasons", [column("candidate"), column("role"), column("why")], rows),
        notes,
    ]


def left_out(study: Study) -> Content:
    """The methods that were not tried, or not finished, and why."""
    return list_of(study.left_out, SHOWN) if study.left_out else None


def _budget(study: Study) -> str | None:
    if "budget" not in study.setting:
        return None
    seconds = study.setting["budget"]
    return "none: no network was trained" if seconds is None else f"{seconds:g} s"
