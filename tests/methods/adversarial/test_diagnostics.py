"""Runs that went wrong say so."""

import pytest
import torch

from regraft.backbones import small_mlp
from regraft.domain import Domain
from regraft.methods.adversarial.dann import DANN
from regraft.methods.adversarial.diagnostics import messages
from regraft.problem import Problem

QUICK = {"epochs": 1, "least_steps": 100}


def blobs(n, gap, moved=0.0, seed=0):
    luck = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 4, generator=luck)
    x[:, 0] += gap * (torch.arange(n) % 2)
    x[:, 1] += moved
    return Domain(x, ["left", "right"] * (n // 2))


def said(recipe, source, target):
    return recipe.fit(Problem(source=source, target=target.unlabelled()), small_mlp(4)).provenance["messages"]


def test_a_weak_adversary():
    (line,) = said(DANN(**QUICK, adversary=1e-3), blobs(80, gap=6), blobs(80, gap=6, moved=8, seed=1))
    assert line == "the critic tells 100 % right to the end: raise adversary, or train longer"


def test_nothing_to_tell_apart():
    source = blobs(200, gap=6)
    (line,) = said(DANN(**QUICK, adversary=1e-3), source, source)
    assert line.startswith("the critic never told more than 5")
    assert "the domains look alike to this network" in line


def test_a_risk_that_drowns():
    lines = said(DANN(**QUICK, adversary=300.0), blobs(80, gap=1), blobs(80, gap=1, moved=8, seed=1))
    assert any("times as hard as the source's risk" in line and "lower adversary" in line for line in lines)


def test_classes_of_other_proportions():
    target = blobs(80, gap=6, seed=1)
    (line,) = (
        line
        for line in said(DANN(**QUICK, adversary=0.01), blobs(80, gap=6), target[target.y == 1])
        if "target are called" in line
    )
    assert line.startswith("100 % of the target are called right, and 50 % of the source are")


@pytest.mark.parametrize(
    ("told", "starts"),
    [
        ({}, []),
        ({"course": {"critic accuracy": [0.6, 0.9, 0.7]}}, []),
        ({"course": {"gradient ratio": [50.0], "risk": [0.01]}, "source": {"a": 0.5, "b": 0.5}}, []),
        ({"source": {"a": 0.5, "b": 0.5}, "predicted": {"a": 0.75, "b": 0.25}}, []),
        ({"source": {"a": 0.5, "b": 0.5}, "predicted": {"a": 0.81, "b": 0.19}}, ["81 % of the target"]),
        ({"course": {"critic accuracy": [0.5, 0.55]}}, ["the critic never"]),
    ],
)
def test_thresholds(told, starts):
    lines = messages({"weight": "adversary", **told})
    assert len(lines) == len(starts)
    assert all(line.startswith(start) for line, start in zip(lines, starts, strict=True))


@pytest.mark.parametrize(
    ("name", "fine", "wrong", "starts"),
    [
        ("discriminators right", 0.9, 0.97, "the discriminators tell 97 % right to the end"),
        ("cycle error", 0.8, 1.5, "there and back is off by 1.50 times how far"),
        ("semantic agreement", 0.9, 0.4, "the source's classifier says the same of 40 % of translations"),
    ],
)
def test_translations_that_went_wrong(name, fine, wrong, starts):
    told = {"weight": "translated", "course": {name: [0.5, fine]}}
    assert messages(told) == []
    (line,) = messages({**told, "course": {name: [0.5, wrong]}})
    assert line.startswith(starts)
