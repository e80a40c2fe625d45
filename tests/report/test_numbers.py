"""The sections for numbers and for several labels, where the others are absent."""

import re

import numpy as np
import pytest

from regraft.domain import Domain
from regraft.output import MultiLabel, Real
from regraft.problem import Problem
from regraft.report import figures
from regraft.report.page import page
from regraft.selection import CrossValidation, compare

NASTY = "</script><img src=x onerror=alert(1)>"


def test_equal_numbers_lie_on_the_line():
    drawn = figures.against([0.0, 5.0, 10.0], [0.0, 5.0, 10.0], "three")
    (path,) = re.findall(r'd="(M[^"]+)"', drawn)
    for x, y in re.findall(r"M([\d.]+) ([\d.]+)m", path):
        assert float(x) == pytest.approx(figures.SQUARE - float(y), abs=0.2)


def test_one_value_alone_has_a_scale():
    assert "nan" not in figures.against([2.0], [2.0], "one")


@pytest.fixture(scope="module")
def studies():
    luck = np.random.default_rng(0)
    x = luck.normal(size=(30, 3))
    amounts = np.stack([x[:, 0], 100 * x[:, 1]], 1) + 0.1
    amounts[:5, 1] = np.nan
    numbers = Domain(x, amounts, Real((NASTY, "price"), ("", "€")))
    labels = Domain(x, (x[:, :2] > 0).astype(float), MultiLabel((NASTY, "dog")))
    once = CrossValidation(repeats=1)
    return [compare(Problem(target_labelled=d), ["NearestNeighbours"], judge=once) for d in (numbers, labels)]


def test_what_is_for_classes_is_absent(studies):
    for study in studies:
        text = page(study)
        for section in ("The classes", "What was taken for what", "A map of the features", "worst recall"):
            assert section not in text
        assert "The farthest off" in text
        assert "<img src=x" not in text
        assert text.count("<script") == 1


def test_numbers_and_labels_have_their_own(studies):
    numbers, labels = map(page, studies)
    assert numbers.count("estimated against true") == 2
    assert "25 samples" in numbers
    assert "Range of each number" in numbers
    assert "How well each label was found" in labels
    assert "mean absolute error" not in labels
