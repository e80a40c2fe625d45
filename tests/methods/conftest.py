"""Shifts that adaptations were invented for, and the gain of a recipe over itself without the target."""

import math
from dataclasses import replace

import pytest
import torch
from sklearn.datasets import make_moons

from regraft.backbones import small_mlp
from regraft.domain import Domain
from regraft.problem import Problem
from regraft.training import Training

NAMES = ("left", "right")


def columns(n, seed, moved=0.0, noise=None):
    """Two of four columns tell the class; the second of them may be moved, or be noise of that width."""
    luck = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 2
    x = torch.randn(n, 4, generator=luck) / 2
    x[:, :2] += (2 * y - 1)[:, None]
    x[:, 1] = x[:, 1] + moved if noise is None else noise * torch.randn(n, generator=luck)
    return Domain(x, [NAMES[c] for c in y])


def moons(n, seed, turned=0.0):
    """Two half moons around their middle, turned by so many degrees."""
    x, y = make_moons(n, noise=0.1, random_state=seed)
    a = math.radians(turned)
    turn = torch.tensor([[math.cos(a), math.sin(a)], [-math.sin(a), math.cos(a)]])
    return Domain((torch.tensor(x).float() - torch.tensor([0.5, 0.25])) @ turn, [NAMES[c] for c in y])


SHIFTS = {
    "a column that moved": (columns, {"moved": 3.0}),
    "a column that is noise": (columns, {"noise": 3.0}),
    "moons that turned": (moons, {"turned": 35.0}),
}


def accuracy(model, test):
    answers = model.predict(test)
    return sum(a == test.output.names[c] for a, c in zip(answers, test.y.tolist(), strict=True)) / len(test)


def right_and_alone(recipe, shift, seed):
    """The accuracy on the target of the recipe, and of itself without the target."""
    drawn, how = SHIFTS[shift]
    source, target, test = drawn(200, seed), drawn(200, seed + 10, **how), drawn(400, seed + 20, **how)
    given = Problem(source=source, target=target.unlabelled())
    return [
        accuracy(r.fit(given, small_mlp(source.x.shape[1]), Training(seed=seed)), test)
        for r in (recipe, replace(recipe, **{recipe.weighted: 0.0}))
    ]


@pytest.fixture
def gain():
    """gain(recipe, shift) -> how much more of the target it gets right than the source alone does."""

    def measured(recipe, shift, seed=0):
        right, alone = right_and_alone(recipe, shift, seed)
        return right - alone

    return measured
