"""A source with many labels, and a target with few that lies elsewhere and asks a little else."""

import numpy as np
import pytest
import torch
from torch import nn

from regraft.backbone import Backbone
from regraft.domain import Domain
from regraft.problem import Problem


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
