"""The page: sections in the order in which a reader asks."""

from collections.abc import Callable
from datetime import date
from importlib.resources import files

from .. import __version__
from ..selection import Study
from . import classes, feature_map, hardest, labels, masks, numbers, outcome, reproduce, task
from .blocks import name_of
from .document import document
from .markup import Content, tag

# (id, title, what writes it); a section of which nothing is known is passed over
SECTIONS: tuple[tuple[str, str, Callable[[Study], Content]], ...] = (
    ("asked", "What was asked", task.asked),
    ("given", "What was given", task.given),
    ("plan", "The plan", task.plan),
    ("verdict", "The verdict", outcome.verdict),
    ("candidates", "The candidates", outcome.candidates),
    ("expected", "The expected score", outcome.expected),
    ("curve", "The learning curve", outcome.learning_curve),
    ("classes", "The classes", classes.recalls),
    ("confusion", "What was taken for what", classes.confusion),
    ("numbers", "Estimated against true", numbers.estimates),
    ("labels", "The labels", labels.found),
    ("pixels", "The classes of pixels", masks.found),
    ("wrong", "The most wrong samples", hardest.most_wrong),
    ("off", "The farthest off", hardest.most_off),
    ("uncertain", "The most uncertain samples", hardest.most_uncertain),
    ("map", "A map of the features", feature_map.feature_map),
    ("doctor", "What the doctor found", hardest.findings),
    ("left-out", "What was left out", task.left_out),
    ("reproduce", "How to reproduce it", reproduce.reproduce),
)


def page(study: Study) -> str:
    """The study as one HTML file that asks for nothing from outside (`document`)."""
    style, script = (
        files(__package__).joinpath(name).read_text("utf-8") for name in ("style.css", "page.js")
    )
    found = [(anchor, title, write(study)) for anchor, title, write in SECTIONS]
    shown = [(anchor, title, content) for anchor, title, content in found if content is not None]
    body = [
        tag(
            "header",
            tag("p", f"Regraft {__version__} · {date.today():%d %B %Y}", class_="kicker"),
            tag("h1", "What carries over"),
            tag("p", _subject(study), class_="subject"),
            outcome.in_short(study),
        ),
        tag(
            "nav",
            tag("ol", [tag("li", tag("a", title, href=f"#{anchor}")) for anchor, title, _ in shown]),
            aria_label="Contents",
        ),
        tag(
            "main",
            [
                tag(
                    "section",
                    tag("h2", title, id=f"{anchor}-title"),
                    content,
                    id=anchor,
                    aria_labelledby=f"{anchor}-title",
                )
                for anchor, title, content in shown
            ],
        ),
    ]
    return document(f"{study.labelled}: what carries over", body, style, script)


def _subject(study: Study) -> Content:
    names = study.labelled.asked.names
    some: Content = [[", " if i else ": ", name_of(name, 24)] for i, name in enumerate(names[:6])]
    return [str(study.labelled), some, f" and {len(names) - 6} more" if len(names) > 6 else None]
