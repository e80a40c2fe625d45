"""Domains of texts."""

from regraft.domain import Domain
from regraft.planner import plan
from regraft.problem import Problem
from regraft.shift import measure_shift
from regraft.shift.columns import columns_of

WORDS = ("owl", "crow", "newt", "toad", "wren")


def texts(n, length):
    return [" ".join(WORDS[(i * k + k) % 5] for k in range(1, length + 1)) for i in range(n)]


def test_texts_differ_by_how_long_they_are():
    words, letters = columns_of(Domain(["an owl", "a", "crows caw by day"]))
    assert words.values.tolist() == [2.0, 1.0, 4.0]
    assert letters.values.tolist() == [2.5, 1.0, 3.25]
    found = measure_shift({"short": Domain(texts(15, 3)), "long": Domain(texts(15, 9))})
    assert found.things == "texts"
    assert "number of words" in {d.noun for d in found.pair("short", "long").differences}


def test_a_plan_has_the_bag_of_words_and_a_small_network():
    birds = Domain(texts(24, 4), ["a", "b"] * 12)
    planned = plan(Problem(target_labelled=birds), budget=600.0)
    used = {(type(c.method).__name__, c.backbone.name) for c in planned.candidates}
    assert {("LinearProbe", "bag of words"), ("FromScratch", "small text")} <= used
