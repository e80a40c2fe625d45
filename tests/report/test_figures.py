import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from regraft.report import figures
from regraft.report.figures import Scale, ticks
from regraft.selection import Interval


def parsed(svg):
    return ElementTree.fromstring(svg)


def percent(text):
    return float(text.removesuffix("%"))


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0.43, 0.51), (-0.004, 0.003), (0, 5000), (-1, 1), (0.9, 1.0), (0, 7)]
)
def test_ticks_are_few_round_and_inside(low, high):
    found = ticks(low, high)
    assert 2 <= len(found) <= 5
    assert low - 1e-9 <= found[0] < found[-1] <= high + 1e-9
    steps = {round(b - a, 9) for a, b in pairwise(found)}
    assert len(steps) == 1
    assert re.fullmatch(r"[125]\.?0*e[+-]\d+", f"{steps.pop():e}")


@pytest.mark.parametrize(
    ("gain", "outcome"),
    [
        (Interval(0.2, 0.1, 0.3), "helps"),
        (Interval(-0.2, -0.3, -0.1), "hurts"),
        (Interval(0.05, -0.1, 0.2), "unproven"),
        (Interval(0.0, 0.0, 0.0), "unproven"),
        (Interval(1.0, 0.9, 1.0), "helps"),
    ],
)
def test_the_gain_lies_on_its_side_of_zero(gain, outcome):
    svg = parsed(figures.gain(gain, "told"))
    assert outcome in svg.get("class")
    assert svg.get("aria-label") == "told"
    zero = percent(svg.find("line[@class='zero']").get("x1"))
    assert zero == 50
    line, dot = svg.find("line[@class='range']"), svg.find("circle")
    low, at, high = percent(line.get("x1")), percent(dot.get("cx")), percent(line.get("x2"))
    assert 0 < low <= at <= high < 100
    for value, place in ((gain.low, low), (gain.value, at), (gain.high, high)):
        assert (place > zero) == (value > 0)
        assert (place < zero) == (value < 0)


def test_an_interval_is_drawn_in_proportion():
    svg = parsed(figures.dot(Interval(0.75, 0.7, 0.9), Scale(0.5, 1.0, margin=0)))
    line, dot = svg.find("line[@class='range']"), svg.find("circle")
    assert [percent(v) for v in (line.get("x1"), dot.get("cx"), line.get("x2"))] == [40, 50, 80]


def test_the_curve_goes_through_its_points():
    points = [(10, Interval(0.5, 0.4, 0.6)), (40, Interval(0.7, 0.65, 0.75))]
    svg = parsed(figures.curve(points, (50, Interval(0.72, 0.6, 0.8)), "told"))
    dots = svg.findall("circle")
    assert [percent(dot.get("cx")) for dot in dots] == [20, 80, 100]
    down = [float(dot.get("cy")) for dot in dots]
    assert down[0] > down[1] > down[2]
    # heights are in proportion: 0.2 of score up, and 0.02 more
    assert (down[0] - down[1]) / (down[1] - down[2]) == pytest.approx(10, rel=1e-3)
    assert len(svg.findall("svg/path")) == 3


def test_the_map_keeps_proportions_and_stays_inside():
    places = figures.at_the_map([(0, 0), (3, 0), (0, 4), (3, 4)])
    (x0, y0), (x1, _), (_, y2), _ = places
    assert (y0 - y2) / (x1 - x0) == pytest.approx(4 / 3, rel=1e-2)
    for x, y in places:
        assert 0 < x < figures.WIDTH
        assert 0 < y < figures.HEIGHT
    assert figures.at_the_map([(1, 1), (1, 1)]) == [(figures.WIDTH / 2, figures.HEIGHT / 2)] * 2


def test_thirty_two_classes_look_different():
    marks = {figures.key(c) for c in range(figures.COLOURS * figures.SHAPES)}
    assert len(marks) == 32


def test_wrong_ones_are_ringed():
    svg = parsed(figures.scatter([(10, 10), (20, 20), (30, 30)], [0, 1, 1], [False, True, True], "told"))
    assert svg.find("path[@class='ring']").get("d").count("M") == 2
    assert [p.get("d").count("M") for p in svg.findall("path[@data-class]")] == [1, 2]
