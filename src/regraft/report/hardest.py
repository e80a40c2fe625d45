"""Samples worth a look: the most wrong, the most uncertain, and what the doctor found."""

from collections.abc import Sequence
from typing import Any

from ..doctor import Finding, Sample
from ..selection import Study
from ..selection.held_out import HeldOutAnswer
from .blocks import SENTENCE, counted, name_of
from .markup import Content, Html, short, tag
from .pictures import pictures, titles, values

FINDINGS = 12  # groups of samples that are named for each of the doctor's findings
NAMED = 20  # samples of a group that are named
PICTURED = 4  # groups of these that are shown


def most_wrong(study: Study) -> Content:
    """The samples whose own label was believed the least."""
    if not study.answers:
        return None
    if not study.most_wrong:
        return tag("p", "No held-out sample was taken for another class.")
    return [
        tag(
            "p",
            "Held out, these left their own label the least probability. The label may be wrong, "
            "the sample may be an odd one, or the class may look like that.",
        ),
        _cards(study, study.most_wrong),
    ]


def most_uncertain(study: Study) -> Content:
    """The samples whose answer was the least sure."""
    if not study.answers:
        return None
    return [
        tag(
            "p",
            "Held out, these got the least probable answers. Labels for more like them may teach the most.",
        ),
        _cards(study, study.most_uncertain),
    ]


def most_off(study: Study) -> Content:
    """The samples whose estimate was the farthest off."""
    if not study.most_off:
        return None
    names, seen = titles(study.labelled.x), pictures(study.labelled.x, [a.row for a in study.most_off])
    cards = [
        tag(
            "li",
            _picture(uri, names[a.row]),
            tag("div", name_of(names[a.row], 40), class_="name"),
            tag("div", values(study.labelled.x, a.row), class_="values") if uri is None else None,
            tag("div", "said ", tag("b", name_of(_told(a.said), 60))),
            tag("div", "label ", tag("b", name_of(_told(a.label), 60))),
            class_="missed",
        )
        for a, uri in zip(study.most_off, seen, strict=True)
    ]
    return [
        tag(
            "p",
            "Held out, these were the farthest from what they are labelled. The label may be wrong, or the "
            "sample an odd one.",
        ),
        tag("ul", cards, class_="cards"),
    ]


def _told(answer: Any) -> str:
    """Numbers in short, and labels beside each other."""
    if isinstance(answer, list):
        return ", ".join(map(_told, answer)) or "none"
    return f"{answer:.4g}" if isinstance(answer, float) else str(answer)


def findings(study: Study) -> Content:
    """What the doctor says of the samples, the worst first."""
    if study.examination is None:
        return None
    if not study.examination.findings:
        return tag("p", "Nothing.")
    return [_finding(study, finding) for finding in study.examination.findings]


def _cards(study: Study, shown: Sequence[HeldOutAnswer]) -> Html:
    names = titles(study.labelled.x)
    seen = pictures(study.labelled.x, [a.row for a in shown])
    cards = []
    for a, uri in zip(shown, seen, strict=True):
        said: Content = [tag("b", name_of(a.said, 40)), f" {a.probability:.2f}"]
        its_own: Content = None if a.right else ["label ", tag("b", name_of(a.label, 40)), f" {a.chance:.2f}"]
        card = [
            _picture(uri, names[a.row]),
            tag("div", name_of(names[a.row], 40), class_="name"),
            tag("div", values(study.labelled.x, a.row), class_="values") if uri is None else None,
            tag("div", "said ", said),
            tag("div", its_own if its_own else "which is right", class_=None if its_own else "fine"),
        ]
        cards.append(tag("li", card, class_=None if a.right else "missed"))
    return tag("ul", cards, class_="cards")


def _picture(uri: str | None, name: str) -> Html | None:
    return None if uri is None else tag("img", src=uri, alt=name[:200])


def _finding(study: Study, finding: Finding) -> Html:
    groups = finding.samples[:FINDINGS]
    more = len(finding.samples) - len(groups)
    names = titles(study.labelled.x)
    link = " = " if finding.same else ", "
    named = [
        tag(
            "li",
            [[link if i else None, name_of(_title(names, s)), _note(s)] for i, s in enumerate(group[:NAMED])],
            f" and {len(group) - NAMED:,} more" if len(group) > NAMED else None,
        )
        for group in groups
    ]
    of_group = [_row(sample) for group in groups[:PICTURED] for sample in group[:4]]
    rows = [row for row in of_group if row is not None]
    seen = zip(rows, pictures(study.labelled.x, rows), strict=True)
    cards = [
        tag("li", _picture(uri, names[row]), tag("div", name_of(names[row], 40), class_="name"))
        for row, uri in seen
        if uri is not None
    ]
    return tag(
        "section",
        tag("h3", tag("span", finding.level, class_=f"level {finding.level}"), " ", finding.check),
        tag("p", short(finding.message, SENTENCE)),
        tag("ul", cards, class_="cards small") if cards else None,
        tag("details", tag("summary", counted(len(finding.samples), "case")), tag("ul", named))
        if named
        else None,
        tag("p", f"{more:,} more are in study.json.", class_="note") if more else None,
    )


def _title(names: Sequence[str], sample: Sample) -> str:
    row = _row(sample)
    return sample.name if row is None else names[row]


def _note(sample: Sample) -> str | None:
    return f" ({short(sample.note, SENTENCE)})" if sample.note else None


def _row(sample: Sample) -> int | None:
    """Where the sample is among the labelled ones, if it is one of them."""
    return sample.row if sample.side == "labelled" else None
