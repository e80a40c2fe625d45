"""A study of little pictures whose names and labels are as nasty as they come, and its page."""

import pytest
import torch

from regraft.backbones import glyphs
from regraft.doctor import Examination, Finding, Sample
from regraft.domain import Domain
from regraft.problem import Problem
from regraft.selection import Interval, compare
from regraft.selection.curve import LearningCurve, Next, Point

NASTY = (
    '<img src=x onerror="window.pwned=1">',
    "</script><script>window.pwned=2</script>",
    "</style><style>body{display:none}",
    "__proto__",
    "new\nline\x1b[31m and \x00",
    "x" * 10_000,
    "\u202egnp.exe",
    """' " ` ${window.pwned=3} &lt;""",
)


def drawn(classes: tuple[str, ...], each: int, seed: int) -> Domain:
    """Pictures of 8×8 pixels, one noisy pattern a class."""
    generator = torch.Generator().manual_seed(seed)
    patterns = torch.rand(len(classes), 8, 8, generator=torch.Generator().manual_seed(0))
    y = torch.arange(len(classes)).repeat_interleave(each)
    noise = 2 * torch.rand(len(y), 8, 8, generator=generator)
    return Domain(((patterns[y] + noise) * 85).byte(), [classes[i] for i in y.tolist()])


def study_of(classes: tuple[str, ...], each: int):
    labelled = drawn(classes, each, seed=1).with_(left_out=tuple((name, name) for name in NASTY))
    study = compare(Problem(target_labelled=labelled), ["LinearProbe", "NearestMean"], glyphs())
    study.read_test(drawn(classes, 3, seed=2))
    return study


def dressed(study):
    """With what the doctor and the learning curve tell, as far as the page knows of them."""
    scores = ((8, 0.5, 0.2), (16, 0.6, 0.15), (len(study.labelled), 0.7, 0.1))
    points = tuple(Point(n, Interval(v, v - w, v + w)) for n, v, w in scores)
    study.curve = LearningCurve(
        points, Next(20, Interval(0.02, -0.01, 0.05), len(study.labelled) + 20, Interval(0.72, 0.69, 0.75))
    )
    pair = (Sample("labelled", 0, "0"), Sample("labelled", 1, "1"))
    odd = ((Sample("test", 2, NASTY[1], NASTY[0]),),) * 40
    study.examination = Examination(
        {"labelled": "40 images", "test": "24 images"},
        (
            Finding("imbalance", "note", "The classes are even."),
            Finding("duplicates", "problem", NASTY[0], (pair,)),
            Finding("labels", "warning", "Odd.", odd),
        ),
    )
    study.setting["command"] = f"regraft fit {NASTY[0]}"
    return study


@pytest.fixture(scope="session")
def nasty():
    """Eight classes with nasty names."""
    return dressed(study_of(NASTY, 5))


@pytest.fixture(scope="session")
def two():
    return study_of(("ants", "bees"), 12)


@pytest.fixture(scope="session")
def thirty():
    return study_of(tuple(f"species number {i} of the genus" for i in range(30)), 4)
