"""The choice without labels."""

import math
from dataclasses import replace

import pytest

from regraft.diagnosis import KindOfShift
from regraft.selection.label_free.stack import SPEAKERS, Row, Stack

UNKNOWN = KindOfShift("unknown", ())


def row(name, family, value, baseline=False, vetoes=(), **scores):
    named = {judge: value for judge in SPEAKERS.values()}
    return Row(name, family, baseline, {**named, **{SPEAKERS[k]: v for k, v in scores.items()}}, vetoes)


def alone(value=0.5):
    return row("SourceOnly", "baselines", value, baseline=True)


def test_takes_the_best_of_those_that_judges_of_two_kinds_prefer():
    rows = [alone(), row("CORAL", "alignment", 0.6), row("SelfPaced", "self training", 0.7)]
    found = Stack().decide(rows, UNKNOWN)
    assert (found.chosen, found.adapts) == (2, True)


def test_one_kind_alone_is_not_enough():
    sure = row("CORAL", "alignment", 0.5, certainty=0.99)
    found = Stack().decide([alone(), sure], UNKNOWN)
    assert (found.chosen, found.adapts) == (0, False)
    assert found.against[1] == ("ahead of source only by 1 kind of judges, not 2",)


def test_a_lead_within_the_margin_is_none():
    assert not Stack().decide([alone(), row("CORAL", "alignment", 0.505)], UNKNOWN).adapts


def test_what_collapsed_is_out_however_sure_it_is():
    collapsed = row("DAN", "alignment", 1.0, vetoes=("it tells 1.0 classes of the target",))
    found = Stack().decide([alone(), collapsed], UNKNOWN)
    assert found.chosen == 0
    assert found.against[1] == ("it tells 1.0 classes of the target",)


def test_moved_proportions_leave_only_what_is_made_for_them():
    rows = [alone(), row("CORAL", "alignment", 0.9), row("EMPrior", "label shift", 0.5)]
    found = Stack().decide(rows, KindOfShift("proportions", ()))
    assert found.chosen == 2
    assert "would mix classes" in found.against[1][0]


def test_where_no_shift_can_be_told_nothing_is_adapted():
    found = Stack().decide([alone(), row("CORAL", "alignment", 0.9)], KindOfShift("none", ()))
    assert found.chosen == 0
    assert found.reasons[0] == "no shift can be told by the features"


@pytest.mark.parametrize("family", ["reweighting", "label shift"])
def test_weights_need_a_shift_that_they_explain(family):
    assert not Stack().decide([alone(), row("KMM", family, 0.9)], UNKNOWN).adapts


def test_a_score_that_is_no_number_speaks_for_nobody():
    rows = [alone(), row("CORAL", "alignment", math.nan, certainty=0.9)]
    assert not Stack().decide(rows, UNKNOWN).adapts


def test_the_best_where_it_is_asked_for():
    found = Stack().best([alone(), row("CORAL", "alignment", 0.505)])
    assert (found.chosen, found.adapts) == (1, True)


def test_what_was_trained_has_to_beat_what_was_trained_on_the_source():
    def trained(name, value, baseline=False):
        return replace(row(name, "self training", value, baseline), trained=True)

    rows = [alone(), trained("SourceTuned", 0.7, baseline=True), trained("MCC", 0.69)]
    found = Stack().decide(rows, UNKNOWN)
    assert not found.adapts
    assert found.against[2] == ("ahead of source only, frozen and trained, by 0 kinds of judges, not 2",)
    rows[2] = trained("MCC", 0.8)
    found = Stack().decide(rows, UNKNOWN)
    assert found.chosen == 2
    assert found.reasons[0].startswith("ahead of SourceOnly and SourceTuned by")
    assert Stack().decide([*rows[:2], row("CORAL", "alignment", 0.6)], UNKNOWN).chosen == 2
