from itertools import pairwise
from xml.etree import ElementTree

import pytest
import torch

from regraft.report.transferable import curves, drawing, page
from regraft.transferability import CURVES, Transferability


@pytest.fixture
def found():
    """Curves of four cuts: A's frozen layers cost more with every stage."""
    generator = torch.Generator().manual_seed(0)
    level = {
        "BnB": [0, -0.02, -0.03, 0],
        "BnB+": [0.0] * 4,
        "AnB": [0, -0.03, -0.08, -0.15],
        "AnB+": [0.02] * 4,
    }
    points = {
        name: 0.7 + torch.tensor(at) + 0.01 * torch.randn(4, 4, generator=generator)
        for name, at in level.items()
    }
    scratch = 0.7 + 0.01 * torch.randn(4, generator=generator)
    names = ("stem", "<b>strokes", "parts", "whole")
    return Transferability((1, 2, 3, 5), names, scratch, points, scratch, 600, "A & B", "<i>", "toy")


def test_every_point_stands_where_its_number_says(found):
    svg = ElementTree.fromstring(curves(found))
    places = [c for c in svg.findall("circle") if c.get("class") == "A"]
    assert len(places) == 4
    heights = [float(c.get("cy")) for c in places]
    assert heights == sorted(heights)  # lower values stand lower
    x = [float(c.get("cx").rstrip("%")) for c in places]
    assert (x[3] - x[2]) == pytest.approx(2 * (x[1] - x[0]), rel=1e-3)  # from 3 to 5 stages is twice as far
    at = dict(zip(heights, found.points["AnB"].mean(0).tolist(), strict=True))
    slopes = [(at[a] - at[b]) / (a - b) for a, b in pairwise(heights)]
    assert slopes == pytest.approx([slopes[0]] * 3, rel=1e-2)


def test_every_curve_has_a_name_a_line_and_a_band(found):
    svg = ElementTree.fromstring(curves(found))
    bands = [p for p in svg.iter("path") if "band" in p.get("class").split()]
    assert len(bands) == len(CURVES) + 1
    told = {text.text or text[0].tail for text in svg.iter("text")}
    assert {"baseB", *CURVES} <= told
    assert "AnB, frozen: from 0.7" in svg.get("aria-label")


def test_names_are_escaped(found):
    told = page(found)
    assert "A &amp; B" in told
    assert "<b>strokes" not in told
    assert "<i>" not in told


def test_a_drawing_of_its_own_needs_no_names_of_colours(found):
    told = drawing(found)
    ElementTree.fromstring(told)
    assert "var(" not in told
    assert "prefers-color-scheme: dark" in told
