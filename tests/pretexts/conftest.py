"""Pools of samples that have no labels, and labels that go with some."""

import pytest
import torch

from regraft.backbones import small_convnet
from regraft.domain import Domain
from regraft.training import Training
from regraft.watch import Watch

SHAPES = {
    "T": ("11111", "00100", "00100", "00100", "00100"),
    "L": ("10000", "10000", "10000", "10000", "11111"),
    "F": ("11111", "10000", "11100", "10000", "10000"),
    "A": ("00100", "01010", "10001", "11111", "10001"),
}


def letters(n, seed, side=16, noise=100):
    """Grey pictures of a letter anywhere on noise; y says which, and a probe on random features hardly."""
    luck = torch.Generator().manual_seed(seed)
    x = noise * torch.rand(n, side, side, generator=luck)
    drawn = [torch.tensor([[float(c) for c in row] for row in rows]) for rows in SHAPES.values()]
    for i in range(n):
        top, left = torch.randint(side - 10, (2,), generator=luck).tolist()
        light = 60 + 120 * torch.rand(1, generator=luck).item()
        x[i, top : top + 10, left : left + 10] += light * torch.kron(drawn[i % 4], torch.ones(2, 2))
    return Domain(x.clamp(0, 255).byte(), [list(SHAPES)[i % 4] for i in range(n)])


@pytest.fixture(scope="session")
def pool():
    return letters(400, 0).unlabelled()


@pytest.fixture(scope="session")
def clear():
    """The letters with a fifth of the noise, which some tasks would rather explain; and labelled ones."""
    return letters(400, 0, noise=20).unlabelled(), letters(120, 1, noise=20)


@pytest.fixture(scope="session")
def gain(pool):
    """By how much a probe on few labels gains over the features of a random network, and the run."""

    def of(task, network=None, labelled=None, pool=pool):
        labelled = labelled or letters(120, 1)
        network = network or small_convnet((16, 16), "grey", width=4)
        made = task.pretrain(pool, network, watch=Watch.of(pool, labelled, network, Training()))
        (_, before), *_, (_, after) = made.history.watched
        return after["accuracy"] - before["accuracy"], made

    return of


@pytest.fixture(scope="session")
def crowd():
    """Vectors with labels, in columns that tell of one another."""
    luck = torch.Generator().manual_seed(1)
    y = torch.arange(200) % 2
    hidden = torch.randn(200, 2, generator=luck) + 2.0 * y[:, None]
    x = torch.tanh(hidden @ torch.randn(2, 8, generator=luck)) + 0.1 * torch.randn(200, 8, generator=luck)
    return Domain(x, ["a" if c else "b" for c in y.tolist()])


@pytest.fixture(scope="session")
def factors():
    """Vectors, and a few with labels: two hidden numbers show in six columns each, one is the class.

    The other twelve of 24 columns are noise. Few random features of them hardly tell the class.
    """
    luck = torch.Generator().manual_seed(2)
    hidden = torch.randn(520, 2, generator=luck)
    shown = hidden.repeat_interleave(6, 1) + 0.7 * torch.randn(520, 12, generator=luck)
    x = torch.cat([shown, torch.randn(520, 12, generator=luck)], 1)
    y = ["a" if number > 0 else "b" for number in hidden[400:, 0].tolist()]
    return Domain(x[:400]), Domain(x[400:], y)
