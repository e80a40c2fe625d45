"""Schedules: rates by hand, what is frozen to the bit, and runs that were stopped at a boundary."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from regraft.domain import Domain
from regraft.errors import InputError
from regraft.problem import Problem
from regraft.schedule import FROZEN, Mode, Schedule, chosen, gradual_starts, one_cycle
from regraft.training import Phase, Training, minimise

STEPS = 20
GRADUAL = Schedule(3e-2, 1e-2, starts=(0.6, 0.3), slower=3.0)


def cosine(p):
    return p / 0.1 if p < 0.1 else (1 + np.cos(np.pi * (p - 0.1) / 0.9)) / 2


def test_rates_by_hand():
    schedule = Schedule(1e-2, 1e-3, starts=(1.0, 0.5, 0.2), slower=4.0)
    never, waiting, learning, head = schedule(0.46)
    assert never == waiting == FROZEN
    assert learning.rate == pytest.approx(1e-3 * cosine((0.46 - 0.2) / 0.8))
    assert head.rate == pytest.approx(1e-2 * cosine(0.46))
    assert schedule(0.9)[1].rate == pytest.approx(1e-3 / 4 * cosine(0.8))
    assert schedule.highest(0) == pytest.approx(1e-3 / 16)
    assert schedule.boundaries == [0.2, 0.5]
    assert not any(mode.statistics for p in (0.0, 0.46, 0.99) for mode in schedule(p))


def test_it_is_a_pure_function_and_survives_json():
    again = Schedule.from_json(GRADUAL.to_json())
    for p in np.random.default_rng(0).random(50):
        assert GRADUAL(p) == again(p)
    assert again == GRADUAL


def test_gradual_starts_are_even_and_fall():
    starts = gradual_starts(5, 0.1, 0.5)
    assert (starts[0], starts[-1]) == (0.5, 0.1)
    np.testing.assert_allclose(np.diff(starts), -0.1)
    assert gradual_starts(1, 0.1, 0.5) == (0.1,)


def test_one_cycle_is_highest_where_it_turns():
    p = np.linspace(0, 1, 1001)
    assert p[np.argmax([one_cycle(x) for x in p])] == pytest.approx(0.25)


@pytest.mark.parametrize("wrong", [{"starts": (1.5,)}, {"slower": 0.0}, {"head_rate": -1.0}])
def test_a_schedule_that_cannot_be_is_refused(wrong):
    with pytest.raises(InputError):
        Schedule(**{"head_rate": 1e-3, "stage_rate": 1e-4, "starts": (0.0,), **wrong})


def network():
    torch.manual_seed(0)
    return [
        nn.Sequential(nn.Linear(3, 6), nn.BatchNorm1d(6), nn.ReLU()),
        nn.Sequential(nn.Linear(6, 6), nn.LayerNorm(6)),
        nn.Linear(6, 2),
    ]


def problem(n=32):
    x = torch.randn(n, 3, generator=torch.Generator().manual_seed(1))
    return Problem(target_labelled=Domain(x, ["a", "b"] * (n // 2)))


class Stopped(Exception):
    pass


def train(parts, schedule, training=None, stop_at=-1, batch_size=8, steps=STEPS, averaged=0):
    """Cross-entropy through all parts; stop_at: the step at which the machine goes down."""
    taken = []

    def objective(step):
        if round(step.progress * steps) == stop_at:
            raise Stopped
        taken.append(step.progress)
        d = step.batch.target_labelled
        x = d.x
        for part in parts:
            x = part(x)
        return {"risk": nn.functional.cross_entropy(x, d.y)}

    phase = Phase(objective, parts, schedule, weight_decay=0.1)
    return minimise(
        [phase],
        problem(),
        training or Training(),
        steps=steps,
        batch_size=batch_size,
        averaged=averaged,
        key=f"run {averaged}",
    )


def states(parts):
    return [{k: v.clone() for k, v in part.state_dict().items()} for part in parts]


def same(one, other):
    return all(torch.equal(v, b[k]) for a, b in zip(one, other, strict=True) for k, v in a.items())


@pytest.mark.parametrize("boundary", [round(b * STEPS) for b in GRADUAL.boundaries])
@pytest.mark.parametrize("off", [-1, 0, 1])
def test_a_run_stopped_around_a_boundary_goes_on_to_the_same_bits(tmp_path, boundary, off):
    whole, torn, resumed = network(), network(), network()
    train(whole, GRADUAL)
    with pytest.raises(Stopped):
        train(torn, GRADUAL, Training(checkpoints=tmp_path, save_every=0), stop_at=boundary + off)
    history = train(resumed, GRADUAL, Training(checkpoints=tmp_path, save_every=0))
    assert len(history.terms["risk"]) == STEPS
    assert same(states(whole), states(resumed))
    assert not same(states(torn), states(whole))


@pytest.mark.parametrize("stop_at", [1, 7])
def test_the_average_of_a_run_that_was_stopped_is_that_of_the_whole(tmp_path, stop_at):
    whole, torn, resumed, plain = network(), network(), network(), network()
    train(whole, GRADUAL, averaged=5)
    train(plain, GRADUAL)
    training = Training(checkpoints=tmp_path, save_every=0)
    with pytest.raises(Stopped):
        train(torn, GRADUAL, training, stop_at=stop_at, averaged=5)
    train(resumed, GRADUAL, training, averaged=5)
    assert same(states(whole), states(resumed))
    assert not same(states(whole), states(plain))


def test_the_average_ends_training_and_does_not_bend_it():
    kept = []

    def watching(progress):
        kept.append(states(parts))
        return GRADUAL(progress)

    parts = network()
    train(parts, watching)
    passed, kept = kept, []
    last = states(parts)
    parts = network()
    train(parts, watching, averaged=STEPS)
    assert all(same(a, b) for a, b in zip(passed, kept, strict=True))
    after = [*passed[1:], last]
    for i, part in enumerate(states(parts)):
        for name, value in part.items():
            mean = torch.stack([s[i][name].double() for s in after]).mean(0)
            torch.testing.assert_close(value.double(), mean, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_step_of_convolutions_is_adamw_in_any_layout_and_after_any_pause(tmp_path, layout):
    from regraft.engine import Engine

    def pictures():
        torch.manual_seed(3)
        return nn.Sequential(
            nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 1), nn.Conv2d(4, 4, 3, groups=4), nn.Flatten()
        )

    x = torch.randn(8, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    given = Problem(target_labelled=Domain(x, ["a", "b"] * 4))
    engine = Engine(channels_last=layout == torch.channels_last)

    def run(part, steps, stop_at=-1):
        def objective(step):
            if round(step.progress * steps) == stop_at:
                raise Stopped
            d = step.batch.target_labelled
            return {"risk": nn.functional.cross_entropy(part(engine.lay_out(d.x)), d.y)}

        training = Training(engine=engine, checkpoints=tmp_path, save_every=0)
        phase = Phase(objective, [part], lambda p: [Mode(1e-2)], weight_decay=0.1)
        minimise([phase], given, training, steps=steps, batch_size=8, key="run")
        return part

    with pytest.raises(Stopped):
        run(pictures(), 5, stop_at=2)
    found, expected = run(pictures(), 5), pictures().double()
    optimiser = torch.optim.AdamW(expected.parameters(), lr=1e-2, weight_decay=0.1, foreach=False)
    for _ in range(5):
        optimiser.zero_grad()
        # the mean over all samples does not depend on their order
        nn.functional.cross_entropy(expected(x.double()), given.target_labelled.y).backward()
        optimiser.step()
    for one, other in zip(found.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(one.double(), other, atol=2e-4, rtol=1e-3)


def test_a_stage_stands_still_to_the_bit_until_its_moment():
    parts = network()
    before = states(parts)
    seen = {}

    def watching(progress):
        seen[round(progress * STEPS)] = states(parts)
        return GRADUAL(progress)

    train(parts, watching)
    for step, now in seen.items():
        assert same([now[0]], [before[0]]) == (step <= 13)  # of 20: from 60 % on, where the rate is still 0
        assert same([now[1]], [before[1]]) == (step <= 7)
    statistics = ("1.running_mean", "1.running_var", "1.num_batches_tracked")
    assert all(torch.equal(parts[0].state_dict()[k], before[0][k]) for k in statistics)


@pytest.mark.parametrize(
    ("which", "moved"), [("biases", {"0.bias", "1.bias"}), ("norms", {"1.weight", "1.bias"})]
)
def test_only_the_chosen_parameters_move(which, moved):
    parts = network()
    before = states(parts)
    train(parts, Schedule(1e-2, 1e-2, (0.0, 0.0), which=which))
    for part, old in zip(parts[:2], before[:2], strict=True):
        assert {k for k, v in part.state_dict().items() if not torch.equal(v, old[k])} == moved
    assert not same([states(parts)[2]], [before[2]])


def test_chosen_knows_every_kind_of_normalisation():
    for norm in (nn.BatchNorm2d(3), nn.GroupNorm(3, 3), nn.LayerNorm(3), nn.InstanceNorm1d(3, affine=True)):
        assert len(chosen(nn.Sequential(nn.Linear(3, 3), norm), "norms")) == 2


WORKER = """
import gc, sys
import torch
from torch import distributed
sys.path.insert(0, {tests!r})
from test_schedule import GRADUAL, network, states, train
from regraft.training import Training
from pathlib import Path
torch.set_num_threads(1)
rank = int(sys.argv[1])
distributed.init_process_group("gloo", init_method="file://{folder}/meet", rank=rank, world_size=2)
parts = network()
history = train(parts, GRADUAL, Training(checkpoints=Path({folder!r}) / "runs", save_every=0))
mean = network()
train(mean, GRADUAL, Training(checkpoints=Path({folder!r}) / "runs", save_every=0), averaged=6)
torch.save([states(parts), history.terms["risk"], states(mean)], f"{folder}/{{rank}}.pt")
distributed.barrier()
distributed.destroy_process_group()
gc.collect()
"""


def test_two_processes_give_what_one_gives(tmp_path):
    import subprocess

    script = WORKER.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    workers = [subprocess.Popen([sys.executable, "-c", script, str(rank)]) for rank in (0, 1)]
    assert [worker.wait(timeout=120) for worker in workers] == [0, 0]
    alone = network()
    risks = train(alone, GRADUAL).terms["risk"]
    (one, risk, mean), (other, _, their_mean) = (torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1))
    averaged = network()
    train(averaged, GRADUAL, averaged=6)
    assert same(one, other)
    assert same(mean, their_mean)
    np.testing.assert_allclose(risk, risks, rtol=1e-4)
    for ours, theirs in zip([*one, *mean], [*states(alone), *states(averaged)], strict=True):
        for name, value in ours.items():
            torch.testing.assert_close(value, theirs[name], rtol=1e-3, atol=1e-4)
    before = states(network())
    assert torch.equal(one[0]["1.running_mean"], before[0]["1.running_mean"])
