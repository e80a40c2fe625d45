"""Trials that say what a test wants them to say."""

import pytest
import torch

from regraft.domain import Domain
from regraft.output import Classes
from regraft.problem import Problem
from regraft.selection.label_free import HeldOut, Trial


def trial_of(**given) -> Trial:
    """A trial of `k` classes with random numbers wherever the test gives none."""
    luck = torch.Generator().manual_seed(given.pop("luck", 0))
    k, m, h, d = (given.pop(name, usual) for name, usual in (("k", 3), ("m", 20), ("h", 12), ("d", 4)))
    if "of_target" in given:
        m, k = given["of_target"].shape
    if "of_held_out" in given:
        h = len(given["of_held_out"])

    def numbers(*shape):
        return torch.randn(*shape, generator=luck, dtype=torch.float64)

    def source(n):
        return Domain(numbers(n, d), torch.arange(n) % k, Classes(tuple("abcdefghij"[:k])))

    usual = {
        "problem": Problem(source=source(30), target=Domain(numbers(m, d))),
        "held_out": source(h),
        "of_target": (2 * numbers(m, k)).log_softmax(1),
        "of_held_out": (2 * numbers(h, k)).log_softmax(1),
        "ratio": numbers(h).exp(),
        "features": numbers(m, d),
        "fitted": None,
        "refit": None,
    }
    told = {**usual, **given}
    of_source = [told.pop(name) for name in ("held_out", "of_held_out", "ratio")]
    return Trial(**told, held_out=HeldOut(*of_source, numbers(h, d)))


@pytest.fixture
def trial():
    """trial(of_target=…, …) -> a Trial."""
    return trial_of


def certain(labels, k) -> torch.Tensor:
    """log P of somebody who is sure of these labels."""
    return torch.eye(k, dtype=torch.float64)[torch.as_tensor(labels)].log()


@pytest.fixture
def sure():
    """sure(labels, k) -> log P."""
    return certain
