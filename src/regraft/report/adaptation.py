"""The page of an adaptation: what differs, what was tried, what was chosen or refused."""

import json
from datetime import date
from importlib.resources import files

from .. import __version__
from ..output.metrics import title as metric_title
from ..selection import Adaptation
from ..selection.label_free import LABEL_FREE
from ..text import seconds_text
from . import figures
from .blocks import cell, column, facts, head, name_of, numbers, table
from .document import document
from .markup import Content, Html, tag


def page(study: Adaptation) -> str:
    """The study as one HTML file that asks for nothing from outside (`document`)."""
    style, script = (
        files(__package__).joinpath(name).read_text("utf-8") for name in ("style.css", "page.js")
    )
    sections: list[tuple[str, str, Content]] = [
        ("differs", "What differs", _differs(study)),
        ("candidates", "The candidates", _candidates(study)),
        ("against", "What spoke against the others", _against(study)),
        ("settle", "Which labels would settle it", _settle(study)),
        ("unseen", "What to expect on a domain that nobody has seen", _unseen(study)),
        ("reproduce", "How to reproduce it", _reproduce(study)),
    ]
    shown = [(anchor, title, content) for anchor, title, content in sections if content is not None]
    body = [
        tag(
            "header",
            tag("p", f"Regraft {__version__} · {date.today():%d %B %Y}", class_="kicker"),
            tag("h1", "What carries over"),
            tag("p", f"From {study.source_told} to {study.target}", class_="subject"),
            tag("div", tag("p", study.sentence(), class_="verdict"), class_="short"),
        ),
        tag("main", [_section(*section) for section in shown]),
    ]
    return document("What carries over to another domain", body, style, script)


def _section(anchor: str, title: str, content: Content) -> Html:
    return tag(
        "section",
        tag("h2", title, id=f"{anchor}-title"),
        content,
        id=anchor,
        aria_labelledby=f"{anchor}-title",
    )


def _differs(study: Adaptation) -> Content:
    rows = [
        [head(e.name), cell(f"{e.gap.z:.1f}", e.gap.z), cell(f"{100 * max(e.share, 0):.0f} %", e.share)]
        for e in study.shift.explanations
    ]
    header = [column("if the source is changed by"), numbers("gap left, in deviations"), numbers("explained")]
    return [
        tag("ul", [tag("li", sentence) for sentence in study.shift.sentences]),
        table("What explains the difference", header, rows, class_="narrow") if rows else None,
    ]


def _candidates(study: Adaptation) -> Content:
    judges = [j for j in LABEL_FREE if any(j.name in row.scores for row in study.rows)]
    rows = []
    for name, row in zip(study.names, study.rows, strict=True):
        mark = tag("span", "▸ ", title="handed over") if row is study.handed_over else None
        scores = [row.scores.get(j.name, float("nan")) for j in judges]
        told = [cell("" if s != s else f"{s:.2f}", s) for s in scores]
        if study.labelled is not None:
            told.append(cell("" if row.on_labels is None else str(row.on_labels.interval(study.metric))))
            told.append(cell("" if row.gain is None else row.gain.points()))
            told.append(cell("yes" if row.learns else "no"))
        rows.append([head([mark, name_of(name)]), *told, cell(seconds_text(row.seconds), row.seconds)])
    header = [column("candidate"), *(numbers(j.name) for j in judges)]
    if study.labelled is not None:
        header += [numbers(f"on {len(study.labelled)} labels"), numbers("gain over source only")]
        header.append(numbers("learns from them"))
    warned = [(j.name, j.warning) for j in judges if j.warning]
    return [
        table("Candidates and their label-free scores", [*header, numbers("seconds")], rows),
        tag(
            "p",
            f"Chosen by: {study.judge}. Higher is better in every column. {study.empty}".strip(),
            class_="note",
        ),
        facts(warned),
    ]


def _against(study: Adaptation) -> Content:
    return facts(study.against) if study.against else None


def _settle(study: Adaptation) -> Content:
    if study.settling is None:
        return None
    return tag("p", f"{study.settling}." + (" study.json names them." if study.settling.rows else ""))


def _unseen(study: Adaptation) -> Content:
    """The sources, each left out in turn."""
    found = study.unseen
    if found is None:
        return None
    metric = metric_title(found.metric)
    ahead = found.expected(found.winner)
    best = f" It is the best of {len(found.scores)}, and the best of several looks better than it is."
    expected = {name: found.expected(name) for name in found.scores}
    scale = figures.scale_for(list(expected.values()))
    rows = []
    for name, scores in found.scores.items():
        values = [one.value(found.metric) for one in scores]
        rows.append(
            [
                head(name_of(name)),
                *(cell(f"{value:.2f}", value) for value in values),
                cell(figures.dot(expected[name], scale, ""), class_="wide"),
                cell(str(expected[name]), expected[name].value),
            ]
        )
    header = [
        column("candidate"),
        *(numbers(["on ", name_of(name, 24)]) for name in found.domains),
        column(figures.axis(scale)),
        numbers("expected on an unseen domain"),
    ]
    return [
        tag(
            "p",
            f"On a domain that is not among these {len(found.domains)} sources, ",
            name_of(found.winner),
            f" fitted to all of them is expected to score, in {metric}, ",
            tag("b", f"{ahead.value:.2f}"),
            f", between {ahead.low:.2f} and {ahead.high:.2f}.",
            best if len(found.scores) > 1 else None,
        ),
        table("Each source left out in turn", header, rows),
        tag(
            "p",
            f"{metric.capitalize()} on the source that each column names, of a fit to the others. The "
            "interval is Student's for the mean of as many domains: of two or three it is wide, and rightly "
            "so. It is about domains like these, and says nothing of the target above.",
            class_="note",
        ),
        facts([(name, reason) for name, reason in found.left_out]) if found.left_out else None,
    ]


def _reproduce(study: Adaptation) -> Content:
    setting = study.setting
    recipes = [
        [
            head(name_of(row.candidate.name)),
            cell(tag("code", json.dumps(row.candidate.method.recipe())), class_="text"),
        ]
        for row in study.rows
    ]
    return [
        facts(
            [
                ("Command", tag("code", setting.get("command", "regraft.adapt(problem, …)"))),
                ("Backbone", ", ".join(study.backbones)),
                ("Seed", str(setting.get("seed"))),
                ("Versions", ", ".join(f"{name} {number}" for name, number in setting["versions"].items())),
                ("System", setting.get("system")),
            ]
        ),
        table("Recipes", [column("candidate"), column("hyper-parameters")], recipes),
    ]
