import time

import pytest
import torch
from torch import nn

from regraft import engine as engines
from regraft.engine import (
    Engine,
    fastest_engine,
    fastest_training_engine,
    find_device,
    keep_freed_memory,
    one_thread,
    usual_engine,
)
from regraft.errors import InputError


class Timed(nn.Module):
    """A network whose modes differ in speed as they are told to, and in its features under bfloat16."""

    def __init__(self, plain=0.0, channels_last=0.0, bfloat16=0.0, agrees=True):
        super().__init__()
        self.seconds = {"plain": plain, "channels last": channels_last, "bfloat16": bfloat16}
        self.agrees = agrees
        self.seen: list[str] = []

    def forward(self, x):
        half = torch.is_autocast_enabled("cpu")
        last = x.is_contiguous(memory_format=torch.channels_last)
        mode = "bfloat16" if half else "channels last" if last else "plain"
        self.seen.append(mode)
        time.sleep(self.seconds[mode])
        return x if self.agrees or not half else x.flip(1)


@pytest.fixture
def pictures():
    return torch.rand(8, 3, 5, 5)


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [
        ({"channels_last": 0.05, "bfloat16": 0.05}, Engine()),
        ({"plain": 0.05, "bfloat16": 0.05}, Engine(channels_last=True)),
        ({"plain": 0.05, "channels_last": 0.05}, Engine(precision="bfloat16", channels_last=True)),
    ],
)
def test_the_fastest_mode_is_chosen(pictures, seconds, chosen):
    assert fastest_engine(Timed(**seconds), pictures) == chosen


def test_a_mode_with_other_features_is_never_chosen(pictures):
    net = Timed(plain=0.05, channels_last=0.05, agrees=False)
    assert fastest_engine(net, pictures).precision == "float32"


def test_a_slow_mode_is_run_once_only(pictures):
    net = Timed(plain=0.01, bfloat16=0.1)
    fastest_engine(net, pictures)
    assert net.seen.count("bfloat16") == 1


def test_few_samples_are_run(pictures):
    class Counting(nn.Module):
        seen = 0

        def forward(self, x):
            self.seen += len(x)
            return x

    net = Counting()
    fastest_engine(net, pictures)
    assert net.seen <= 6 * engines.TIMED


def test_what_is_no_picture_has_no_layout_to_choose():
    assert fastest_engine(nn.Linear(3, 2), torch.rand(4, 3)) == Engine()


@pytest.mark.parametrize(
    "engine", [Engine(), Engine(channels_last=True), Engine(precision="bfloat16", channels_last=True)]
)
def test_engines_agree(pictures, engine):
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten())
    out = engine.run(net, pictures)
    torch.testing.assert_close(out.float(), net(pictures).detach(), atol=0.02, rtol=0.02)
    assert not out.requires_grad


def test_a_network_can_be_trained_after_it_was_run(pictures):
    net = nn.Conv2d(3, 4, 3)
    Engine(channels_last=True).run(net, pictures)
    net(pictures).sum().backward()
    assert net.weight.grad is not None


def test_the_plain_layout_comes_back(pictures):
    net = nn.Conv2d(3, 4, 3)
    before = Engine().run(net, pictures)
    Engine(channels_last=True).run(net, pictures)
    assert torch.equal(Engine().run(net, pictures), before)
    assert net.weight.is_contiguous()


def test_an_engine_survives_json():
    engine = Engine("cpu", "bfloat16", True)
    assert Engine.from_json(engine.to_json()) == engine
    assert str(engine) == "cpu, bfloat16, channels last"


def test_an_unknown_device_is_named():
    with pytest.raises(InputError, match="device 'abacus' is unknown"):
        find_device("abacus")


def test_threads_are_given_back():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with one_thread():
            assert torch.get_num_threads() == 1
        with one_thread(small=False):
            assert torch.get_num_threads() == 2
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_keeping_memory_changes_no_result(pictures):
    net = nn.Conv2d(3, 4, 3)
    before = Engine().run(net, pictures)
    keep_freed_memory()
    assert torch.equal(Engine().run(net, pictures), before)


class Learner(Timed):
    """The same with a weight for each colour; under bfloat16 the colours change places where it disagrees."""

    def __init__(self, **how):
        super().__init__(**how)
        self.weight = nn.Parameter(torch.ones(1, 3, 1, 1))

    def forward(self, x):
        return super().forward(x) * self.weight


@pytest.fixture
def coloured(pictures):
    """Pictures of which each colour counts more than the last."""
    return pictures * torch.tensor([1.0, 3.0, 9.0]).reshape(1, 3, 1, 1)


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [
        ({"channels_last": 0.1, "bfloat16": 0.1}, Engine()),
        ({"plain": 0.1, "bfloat16": 0.1}, Engine(channels_last=True)),
        ({"plain": 0.1, "channels_last": 0.1}, Engine(precision="bfloat16", channels_last=True)),
    ],
)
def test_the_fastest_mode_of_a_training_step_is_chosen(coloured, seconds, chosen):
    net = Learner(**seconds)
    assert fastest_training_engine(net, coloured) == chosen
    assert torch.equal(net.weight, torch.ones(1, 3, 1, 1))
    assert net.weight.grad is None


def test_a_mode_with_other_gradients_is_never_chosen(coloured):
    net = Learner(plain=0.1, channels_last=0.1, agrees=False)
    assert fastest_training_engine(net, coloured).precision == "float32"


def test_what_has_nothing_to_learn_runs_as_usual(pictures):
    assert fastest_training_engine(Timed(), pictures) == usual_engine("cpu")
