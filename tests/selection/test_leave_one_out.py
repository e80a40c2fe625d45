"""Leaving one domain out."""

import numpy as np
import pytest
import torch

from regraft.backbones import small_mlp, vectors
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.methods.alignment.coral import CORAL
from regraft.methods.baselines.joint import Joint
from regraft.methods.features.linear_probe import LinearProbe
from regraft.methods.several_sources.group_dro import GroupDRO
from regraft.pooling import pooled
from regraft.problem import Problem
from regraft.selection import evaluate
from regraft.selection.leave_one_out import leave_one_domain_out, mean_of_domains


def three():
    luck = torch.Generator().manual_seed(0)
    found = {}
    for name, move in {"a": 0.0, "b": 0.4, "c": -0.4}.items():
        y = torch.arange(40) % 2
        x = torch.randn(40, 3, generator=luck) + move
        x[:, 0] += 2.0 * y
        found[name] = Domain(x, ["-" if c == 0 else "+" for c in y.tolist()])
    return found


def test_every_number_is_that_of_a_fit_to_the_others():
    domains = three()
    found = leave_one_domain_out(domains, backbone=vectors())
    [scores] = found.scores.values()
    for name, one in zip(domains, scores, strict=True):
        others = pooled({other: domain for other, domain in domains.items() if other != name})
        model = LinearProbe().fit(Problem(target_labelled=others), vectors())
        assert one.value("accuracy") == evaluate(model, domains[name]).value("accuracy")


def test_the_interval_is_students():
    values = [0.61, 0.7, 0.84, 0.66]
    found = mean_of_domains(values)
    half = 3.182446 * np.std(values, ddof=1) / 2
    assert (found.value, found.low, found.high) == pytest.approx(
        (np.mean(values), np.mean(values) - half, np.mean(values) + half), abs=1e-6
    )


def test_adaptations_see_what_is_left_out_without_its_labels_and_the_probe_is_there():
    found = leave_one_domain_out(three(), [CORAL(), "SourceOnly"], backbone=vectors())
    assert list(found.scores) == ["LinearProbe (columns)", "CORAL (columns)", "SourceOnly (columns)"]
    assert found.winner in found.scores
    assert found.to_json()["results"][found.winner]["expected"]["by"] == "leave one domain out"


def test_says_what_cannot_be_left_out():
    domains = three()
    with pytest.raises(InputError, match="at least two"):
        leave_one_domain_out({"a": domains["a"]}, backbone=vectors())
    one = Domain(torch.zeros(4, 3), ["-"] * 4)
    with pytest.raises(InputError, match="a single class is left"):
        leave_one_domain_out({"both": domains["a"], "one": one}, backbone=vectors())
    with pytest.raises(InputError, match="there are no labels"):
        leave_one_domain_out(domains, [Joint()], backbone=vectors())


def test_what_does_not_fit_the_budget_is_left_out():
    three = {name: Domain(torch.rand(40, 3), ["owl", "crow"] * 20) for name in "abc"}
    slow = GroupDRO(least_steps=10_000_000)
    found = leave_one_domain_out(three, [slow], small_mlp(3), budget=5)
    assert [name.split()[0] for name in found.scores] == ["LinearProbe"]
    [(name, reason)] = found.left_out
    assert name.startswith("GroupDRO")
    assert "of the budget" in reason
    assert f"Left out: {name}: {reason}." in str(found)
    assert found.to_json()["left_out"] == [{"candidate": name, "reason": reason}]
