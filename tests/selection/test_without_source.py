"""Adapting a model whose source is gone, or keeping it."""

import json
import math
from dataclasses import replace

import pytest
import torch

import regraft as rg
from regraft.backbones import glyphs, small_mlp
from regraft.errors import InputError
from regraft.planner import plan, plan_without_source
from regraft.selection.label_free import LABEL_FREE

CORNERS = 4 * torch.eye(3, 6)


def crowds(n, seed, turned=0.0, of=(1.0, 1.0, 1.0), near=1.0):
    """Three classes around the corners of a triangle, which is turned so far about its middle."""
    luck = torch.Generator().manual_seed(seed)
    y = torch.multinomial(torch.tensor(of), n, replacement=True, generator=luck)
    x = near * CORNERS[y] + 0.7 * torch.randn(n, 6, generator=luck)
    middle = near * CORNERS.mean(0)
    axis = torch.tensor([1.0, 1.0, 1.0]) / math.sqrt(3)
    cross = torch.linalg.cross(axis.expand(3, 3), torch.eye(3)).T
    turn = torch.eye(6)
    turn[:3, :3] += math.sin(turned) * cross + (1 - math.cos(turned)) * cross @ cross
    return rg.Domain((x - middle) @ turn.T + middle, [f"class {c}" for c in y.tolist()])


def right(model, domain):
    return (model.logits(domain.x).argmax(1) == domain.y).double().mean().item()


def a_model(domain):
    return rg.METHODS["FineTune"]().fit(rg.Problem(target_labelled=domain), small_mlp(6))


@pytest.fixture(scope="module")
def model():
    return a_model(crowds(90, 1))


@pytest.fixture(scope="module")
def turned():
    return crowds(150, 2, turned=0.9)


@pytest.fixture(scope="module")
def adapted(model, turned):
    return rg.adapt(rg.Problem(source_model=model, target=turned.unlabelled()))


def test_adapts_where_judges_of_the_target_agree(adapted, model, turned):
    assert adapted.decision.adapts, str(adapted)
    assert right(model, turned) < 0.85
    assert right(adapted.model, turned) > 0.95
    assert adapted.handed_over.candidate.name == "SourceFreeSHOT (small mlp)"


def test_only_judges_of_the_target_are_asked_and_nothing_is_said_of_the_source(adapted):
    asked = {judge.name for judge in LABEL_FREE if not judge.asks_source}
    assert all(set(row.scores) == asked for row in adapted.rows)
    told = str(adapted)
    assert "Source: a model whose samples are gone (3 classes, small mlp, FineTune)" in told
    assert "No sample of the source is left to tell the kind of shift by" in told
    for absent in ("reverse", "DEV", "IWV", "own samples", "deviations from chance"):
        assert absent not in told


def test_keeps_the_model_to_the_bit_where_they_do_not_agree(model):
    """Classes that run into each other, most of one kind: even ones would cost twenty points."""
    blurred = a_model(crowds(150, 3, near=0.5))
    target = crowds(200, 4, of=(0.8, 0.1, 0.1), near=0.5)
    study = rg.adapt(rg.Problem(source_model=blurred, target=target.unlabelled()))
    assert not study.decision.adapts
    assert "of the target to other classes on balance" in "; ".join(study.rows[1].against)
    assert torch.equal(study.model.logits(target.x), blurred.logits(target.x))
    forced = study.rows[1].candidate.method.fit(
        rg.Problem(source_model=blurred, target=target.unlabelled()), blurred.backbone
    )
    assert right(forced, target) < right(blurred, target) - 0.1


def test_few_labels_of_the_target_judge(model, turned):
    few = rg.Domain(turned.x[:40], turned.output.decode(turned.y[:40]))
    problem = rg.Problem(source_model=model, target=turned[40:].unlabelled(), target_labelled=few)
    study = rg.adapt(problem)
    assert "40 labelled samples of the target" in study.judge
    assert study.rows[1].gain.low > 0
    assert study.decision.adapts


def test_survives_saving_and_remembers_what_it_was(adapted, turned, tmp_path):
    folder = adapted.save(tmp_path / "model", report=True)
    again = rg.load(folder)
    assert torch.equal(again.logits(turned.x), adapted.model.logits(turned.x))
    assert [one["method"] for one in again.provenance["ancestors"]] == ["FineTune"]
    study = json.loads((folder / "study.json").read_text())
    assert study["decision"]["sentence"] == adapted.sentence()
    assert study["shift"]["kind"] == "hidden"
    assert study["output"] == turned.output.to_json()
    page = (folder / "report.html").read_text()
    assert "whose samples are gone" in page
    assert "What explains the difference" not in page


def test_what_does_not_fit_into_the_budget_is_left_out(model, turned):
    endless = rg.METHODS["SourceFreeSHOT"](least_steps=10_000_000)
    study = rg.adapt(rg.Problem(source_model=model, target=turned.unlabelled()), [endless], budget=2)
    assert not study.decision.adapts
    assert "of the budget are left" in dict(study.left_out)["SourceFreeSHOT (small mlp)"]


def test_the_plan_trains_stages_that_have_weights(model, turned):
    problem = rg.Problem(source_model=model, target=turned.unlabelled())
    assert [c.method.recipe().get("trained") for c in plan(problem).candidates] == [None, 1]
    few = plan_without_source(replace(problem, target=turned[:20].unlabelled()))
    assert dict(few.left_out)["SourceFreeSHOT"].startswith("needs 30")
    assert "baseline  SourceModelOnly" in str(few)


def test_what_cannot_be_continued_is_one_line(model, turned):
    target = turned.unlabelled()
    labelled = rg.Problem(target_labelled=turned)
    columns = rg.METHODS["LinearProbe"]().fit(labelled, rg.open_backbone("vectors"))
    with pytest.raises(InputError, match="no network inside that could be moved"):
        rg.adapt(rg.Problem(source_model=columns, target=target))
    crowd = rg.METHODS["NearestNeighbours"]().fit(labelled, model.backbone)
    with pytest.raises(InputError, match="a linear head is what can stay"):
        rg.adapt(rg.Problem(source_model=crowd, target=target))
    with pytest.raises(InputError, match="brings its own network"):
        rg.adapt(rg.Problem(source_model=model, target=target), backbone=glyphs())
    with pytest.raises(InputError, match="there is no target"):
        rg.adapt(rg.Problem(source_model=model))
    with pytest.raises(InputError, match="source_model is Linear"):
        rg.adapt(rg.Problem(source_model=torch.nn.Linear(1, 1), target=target))
    study = rg.adapt(rg.Problem(source_model=model, target=target), ["CORAL"])
    assert dict(study.left_out)["CORAL (small mlp)"].startswith("it needs source and target")
