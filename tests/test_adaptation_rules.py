"""What is tried across domains, and when networks are trained for it."""

import pytest
import torch

import regraft as rg
from regraft.planner import plan

TRAINED = {"SourceTuned", "MCC", "SHOT"}


def pictures(n, side=16):
    luck = torch.Generator().manual_seed(n)
    return torch.randint(0, 256, (n, side, side), generator=luck, dtype=torch.uint8)


def given(n=40, target=40):
    source = rg.Domain(pictures(n), ["owl", "crow"] * (n // 2))
    return rg.Problem(source=source, target=rg.Domain(pictures(target)))


def tried(planned):
    return {type(c.method).__name__: c for c in planned.candidates}


def test_networks_are_trained_within_a_budget(pictures_network):
    without = plan(given(), backbone=pictures_network)
    within = plan(given(), backbone=pictures_network, budget=60)
    assert not TRAINED & tried(without).keys()
    assert all(dict(without.left_out)[name].endswith("--budget 10m") for name in TRAINED)
    assert tried(within).keys() >= TRAINED
    assert [c.baseline for c in within.candidates].count(True) == 2


def test_statistics_are_counted_without_a_budget_where_pictures_are_few(pictures_network, monkeypatch):
    assert "AdaptiveBatchNorm" in tried(plan(given(), backbone=pictures_network))
    monkeypatch.setattr("regraft.adaptation_rules.FEW_PICTURES", 79)
    assert "AdaptiveBatchNorm" not in tried(plan(given(), backbone=pictures_network))
    assert "AdaptiveBatchNorm" in tried(plan(given(), backbone=pictures_network, budget=60))


def test_without_a_pretrained_network_small_pictures_train_one_from_scratch():
    planned = tried(plan(given(), backbone="pixels", budget=60))
    assert planned.keys() >= TRAINED
    assert not planned["MCC"].backbone.pretrained
    assert planned["MCC"].backbone.name == "small convnet"
    assert "AdaptiveBatchNorm" not in planned


def test_of_vectors_no_network_is_trained_and_nothing_is_said_of_it():
    source = rg.Domain(torch.rand(40, 5), ["owl", "crow"] * 20)
    planned = plan(rg.Problem(source=source, target=rg.Domain(torch.rand(40, 5))), budget=60)
    assert not TRAINED & (tried(planned).keys() | dict(planned.left_out).keys())


@pytest.mark.parametrize("budget", [None, 60])
def test_a_few_samples_of_the_target_train_nothing(pictures_network, budget):
    planned = plan(given(target=29), backbone=pictures_network, budget=budget)
    assert tried(planned).keys() == {"SourceOnly"}
