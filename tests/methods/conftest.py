"""Shifts that adaptations were invented for, and a target with few labels."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.datasets import make_moons
from torch import nn

from regraft.backbone import Backbone
from regraft.backbones import small_mlp
from regraft.domain import Domain
from regraft.problem import Problem
from regraft.training import Training

NAMES = ("left", "right")


def two_columns(n, seed, moved=0.0, noise=None):
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
    "a column that moved": (two_columns, {"moved": 3.0}),
    "a column that is noise": (two_columns, {"noise": 3.0}),
    "moons that turned": (moons, {"turned": 35.0}),
}


def share_right(model, test):
    """The share of the labels that the model says."""
    answers = model.predict(test)
    return sum(a == test.output.names[c] for a, c in zip(answers, test.y.tolist(), strict=True)) / len(test)


def right_and_alone(recipe, shift, seed):
    """The accuracy on the target of the recipe, and of itself without the target."""
    drawn, how = SHIFTS[shift]
    source, target, test = drawn(200, seed), drawn(200, seed + 10, **how), drawn(400, seed + 20, **how)
    given = Problem(source=source, target=target.unlabelled())
    return [
        share_right(r.fit(given, small_mlp(source.x.shape[1]), Training(seed=seed)), test)
        for r in (recipe, replace(recipe, **{recipe.weighted: 0.0}))
    ]


@pytest.fixture
def right():
    """right(model, domain): the share of its labels that the model says."""
    return share_right


@pytest.fixture
def heaps():
    """heaps(n, seed): two classes in five columns, four apart along the first."""

    def made(n, seed):
        luck = torch.Generator().manual_seed(seed)
        y = (torch.rand(n, generator=luck) < 0.5).long()
        x = torch.randn(n, 5, generator=luck).double()
        x[:, 0] += 4 * y
        return Domain(x, ["b" if c else "a" for c in y.tolist()])

    return made


@pytest.fixture
def gain():
    """gain(recipe, shift) -> how much more of the target it gets right than the source alone does."""

    def measured(recipe, shift, seed=0):
        right, alone = right_and_alone(recipe, shift, seed)
        return right - alone

    return measured


@pytest.fixture
def gain_of_a_pool():
    """gain_of_a_pool(recipe, seed) -> how much more it gets right of two moons, of which six samples are
    labelled and 300 are not, than these six alone teach."""

    def measured(recipe, seed):
        few, pool, test = moons(6, seed), moons(300, seed + 10), moons(400, seed + 20)
        given = Problem(target_labelled=few, unlabelled=pool.unlabelled())
        right, alone = (
            share_right(r.fit(given, small_mlp(2), Training(seed=seed)), test)
            for r in (recipe, replace(recipe, **{recipe.weighted: 0.0}))
        )
        return right - alone

    return measured


def three_classes(n, seed, shift=0.0, turn=0.0):
    """Three Gaussians around a circle in the first two of eight columns, turned by an angle and moved."""
    luck = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 3
    angle = 2 * torch.pi * y / 3 + turn
    x = torch.randn(n, 8, generator=luck)
    x[:, 0] += 2 * angle.cos() + shift
    x[:, 1] += 2 * angle.sin() + shift
    return Domain(x, ["abc"[c] for c in y.tolist()])


@pytest.fixture
def few() -> Problem:
    """300 labels of the source, 12 of the target."""
    return Problem(source=three_classes(300, 1), target_labelled=three_classes(12, 2, 0.6, 0.4))


@pytest.fixture
def columns() -> Backbone:
    """The samples as they are, with nothing fitted to them."""
    return Backbone([("same", nn.Identity())], name="columns")


@pytest.fixture
def later() -> Domain:
    """Many samples of the target, to score on."""
    return three_classes(900, 3, 0.6, 0.4)


@pytest.fixture
def accuracy(later):
    """accuracy(model) -> the share of them that it names right."""

    def of(model, domain=later):
        right = [a == b for a, b in zip(model.predict(domain), domain.output.decode(domain.y), strict=True)]
        return sum(right) / len(right)

    return of


@pytest.fixture
def scaled_columns(few, later):
    """(u of source and target, the source first; u of `later`), scaled as LinearProbe says, by numpy."""
    x = np.concatenate([few.source.x, few.target_labelled.x]).astype(float)
    centre = x.mean(0)
    scale = np.sqrt(np.square(x - centre).mean())
    return (x - centre) / scale, (later.x.numpy().astype(float) - centre) / scale
