"""A few labelled samples of the target, which judge all candidates and teach some of them."""

import json

import pytest
import torch

import regraft as rg
from regraft.planner import plan_across
from regraft.selection.adapting import in_terms_of

LEARN = ["LinearProbe", "Joint", "FeatureAugmentation", "SourceThenTarget"]


def crowds(n, seed, turned=False):
    """Two classes along the first column; where it is turned, along the second, and against the first."""
    luck = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 2
    x = torch.randn(n, 25, generator=luck)
    x[:, 1 if turned else 0] += 5 * (2 * y - 1)
    x[:, 0] -= 2 * (2 * y - 1) * turned
    return rg.Domain(x, ["owl" if c else "crow" for c in y.tolist()])


@pytest.fixture(scope="module")
def turned():
    source, target = crowds(60, 1), crowds(120, 2, turned=True)
    few = target[:24]
    return rg.Problem(source=source, target=target[24:].unlabelled(), target_labelled=few), target[24:]


@pytest.fixture(scope="module")
def study(turned):
    return rg.adapt(turned[0], ["CORAL", *LEARN])


def rows_of(study):
    return {type(row.candidate.method).__name__: row for row in study.rows}


def test_who_learns_from_labels_wins_where_the_source_is_wrong(study, turned):
    assert study.handed_over.learns
    assert study.handed_over.gain.low > 0
    assert (study.model.logits(turned[1].x).argmax(1) == turned[1].y).double().mean() > 0.9
    assert study.sentence().startswith("Learn from the labels of the target: ")


def test_the_table_the_page_and_the_json_say_who_learned(study, tmp_path):
    assert [row.learns for row in study.rows] == [False, False, True, True, True, True]
    assert "who learns from them is judged by those that it did not learn from" in study.judge
    assert "hold for all 5 gains at once" in str(study)
    told = json.loads((study.save(tmp_path / "m", report=True) / "study.json").read_text())
    assert [row["learns_from_labels_of_target"] for row in told["results"]].count(True) == 4
    assert "learns from them" in (tmp_path / "m" / "report.html").read_text()


def test_what_memorises_labels_gets_no_advantage(turned):
    problem = turned[0]
    luck = torch.Generator().manual_seed(5)
    noise = rg.Domain(torch.randn(60, 25, generator=luck), ["crow", "owl"] * 30)
    guess = problem.having("target_labelled", noise)
    recall = rg.METHODS["NearestNeighbours"](neighbours=1)
    study = rg.adapt(guess, [recall])
    memorised = rg.METHODS["NearestNeighbours"](neighbours=1).fit(guess, study.rows[1].candidate.backbone)
    assert memorised.predict(noise) == ["crow", "owl"] * 30
    assert study.rows[1].on_labels.value("accuracy") < 0.7
    assert not study.decision.adapts


def test_labels_that_judge_change_no_bit_of_who_does_not_learn(turned):
    problem = turned[0]
    few = problem.target_labelled
    found = []
    for y in (few.y, few.y.flip(0)):
        study = rg.adapt(problem.having("target_labelled", few.with_(y=y)), ["CORAL", "LinearProbe"])
        coral = rows_of(study)["CORAL"]
        found.append(json.dumps(coral.scores))
    assert found[0] == found[1]


def test_the_model_is_refitted_to_all_labels(study, turned):
    kept = study.handed_over.candidate
    problem = turned[0]
    known = problem.having("target_labelled", in_terms_of(problem.source.asked, study.labelled))
    again = kept.method.fit(known, kept.backbone)
    assert torch.equal(study.model.logits(turned[1].x), again.logits(turned[1].x))


def test_a_single_label_of_each_class_judges_and_teaches_nobody(turned):
    problem = turned[0].having("target_labelled", turned[0].target_labelled[:2])
    planned = plan_across(problem)
    assert dict(planned.left_out)["Joint"].startswith("needs two labels of some class")
    study = rg.adapt(problem, ["CORAL", "Joint"])
    assert "could not be judged" in dict(study.left_out)["Joint (columns)"]
    assert len(study.rows[0].on_labels) == 2


def test_the_best_score_on_labels_is_taken_where_that_is_asked(turned):
    study = rg.adapt(turned[0], ["CORAL", "LinearProbe"], hand_over="best")
    values = [row.on_labels.value("accuracy") for row in study.rows]
    assert study.decision.chosen == values.index(max(values))


def test_classes_that_only_the_source_shows_are_not_forgotten():
    """A fold without a class does not silence it where the source has it."""
    luck = torch.Generator().manual_seed(0)
    y = torch.arange(90) % 3
    x = 8 * torch.eye(3, 25)[y] + torch.randn(90, 25, generator=luck)
    source = rg.Domain(x[:60], [f"class {c}" for c in y[:60].tolist()])
    few = rg.Domain(x[60:72], [f"class {c}" for c in y[60:72].tolist()])[y[60:72] != 2]
    study = rg.adapt(rg.Problem(source=source, target=rg.Domain(x[72:]), target_labelled=few), ["Joint"])
    assert study.rows[1].on_labels.value("accuracy") == 1.0
    assert study.rows[1].on_labels.names == ("class 0", "class 1", "class 2")
