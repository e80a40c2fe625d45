from pathlib import Path

import pytest
import torch
from torch import nn

from regraft.domain import Domain
from regraft.problem import Problem
from regraft.schedule import FROZEN, Mode
from regraft.training import Phase, Training, _batch, minimise


def line(n=20):
    x = torch.linspace(-1, 1, n)[:, None]
    return Problem(target_labelled=Domain(x, ["a", "b"] * (n // 2)))


def squared(module):
    """Fit y = 3x + 1 by least squares."""

    def objective(step):
        x = step.batch.target_labelled.x
        return {"squares": (module(x) - 3 * x - 1).pow(2).mean()}

    return objective


def test_minimises():
    module = nn.Linear(1, 1)
    phase = Phase(squared(module), [module], lambda p: [Mode(0.05 * (1 - p))])
    history = minimise([phase], line(), Training(), steps=400, batch_size=8)
    assert module.weight.item() == pytest.approx(3, abs=0.01)
    assert module.bias.item() == pytest.approx(1, abs=0.01)
    assert len(history.terms["squares"]) == 400


def test_one_step_is_adamw_by_hand():
    module = nn.Linear(1, 1)
    w, b = module.weight.item(), module.bias.item()
    phase = Phase(squared(module), [module], lambda p: [Mode(0.1)], weight_decay=0.5)
    problem = line(4)
    x = problem.target_labelled.x
    minimise([phase], problem, Training(), steps=1, batch_size=4)
    residual = w * x + b - 3 * x - 1
    # the first AdamW step moves by the rate in the direction of the gradient's sign, after decay
    for now, before, gradient in (
        (module.weight, w, (2 * residual * x).mean()),
        (module.bias, b, (2 * residual).mean()),
    ):
        expected = before * (1 - 0.1 * 0.5) - 0.1 * gradient.sign().item()
        assert now.item() == pytest.approx(expected, abs=1e-4)


def test_two_steps_with_less_momentum_by_hand():
    module = nn.Linear(1, 1, bias=False)
    w = module.weight.item()

    def objective(step):
        return {"squares": (module.weight - 3).pow(2).sum()}

    phase = Phase(objective, [module], lambda p: [Mode(0.1)], momentum=0.5)
    minimise([phase], line(4), Training(), steps=2, batch_size=4)
    first = second = 0.0
    for t in (1, 2):
        gradient = 2 * (w - 3)
        first, second = 0.5 * first + 0.5 * gradient, 0.999 * second + 0.001 * gradient**2
        w -= 0.1 * (first / (1 - 0.5**t)) / (second / (1 - 0.999**t)) ** 0.5
    assert module.weight.item() == pytest.approx(w, abs=1e-5)


def test_a_batch_sees_every_sample_once_before_any_again():
    d = Domain(torch.arange(10.0)[:, None], ["a", "b"] * 5)
    seen = torch.cat([_batch(d, 4, 0, "target_labelled", i).x.flatten() for i in range(5)])
    assert sorted(seen[:10].tolist()) == list(range(10))
    assert sorted(seen[10:].tolist()) == list(range(10))
    assert seen[:10].tolist() != seen[10:].tolist()


def test_streams_do_not_disturb_each_other():
    d = Domain(torch.arange(10.0)[:, None], ["a", "b"] * 5)
    alone = _batch(d, 4, 0, "source", 3).x
    assert torch.equal(_batch(d, 4, 0, "source", 3).x, alone)
    assert not torch.equal(_batch(d, 4, 0, "target_labelled", 3).x, alone)
    assert not torch.equal(_batch(d, 4, 1, "source", 3).x, alone)


def test_frozen_parts_neither_move_nor_decay_nor_count():
    frozen, free = nn.Sequential(nn.Linear(1, 4), nn.BatchNorm1d(4), nn.Dropout(0.5)), nn.Linear(4, 1)
    before = {k: v.clone() for k, v in frozen.state_dict().items()}
    whole = nn.Sequential(frozen, free)
    phase = Phase(squared(whole), [frozen, free], lambda p: [FROZEN, Mode(0.1)], weight_decay=0.1)
    minimise([phase], line(), Training(), steps=5, batch_size=4)
    assert all(torch.equal(v, before[k]) for k, v in frozen.state_dict().items())


def test_a_schedule_thaws_at_its_moment():
    part = nn.Linear(1, 1)
    moved = []

    def schedule(progress):
        moved.append(part.weight.item())
        return [Mode(0.1) if progress >= 0.5 else FROZEN]

    minimise([Phase(squared(part), [part], schedule)], line(), Training(), steps=10, batch_size=4)
    assert len(set(moved[:6])) == 1
    assert len(set(moved[5:])) == 5


def test_phases_alternate():
    one, two = nn.Linear(1, 1), nn.Linear(1, 1)
    calls = []

    def told(name, module):
        def objective(step):
            calls.append(name)
            return squared(module)(step)

        return objective

    phases = [
        Phase(told("one", one), [one], lambda p: [Mode(0.1)]),
        Phase(told("two", two), [two], lambda p: [Mode(0.1)], repeats=2),
    ]
    minimise(phases, line(), Training(), steps=2, batch_size=4)
    assert calls == ["one", "two", "two"] * 2


def test_steps_back_to_the_best_moment():
    module = nn.Linear(1, 1)
    seen = []

    def validate():
        loss = [5.0, 2.0, 1.0, 3.0, 4.0][len(seen)]
        seen.append(module.weight.item())
        return loss

    phase = Phase(squared(module), [module], lambda p: [Mode(0.1)])
    history = minimise([phase], line(), Training(), steps=4, batch_size=4, validate=validate)
    assert history.best_step == 2
    assert module.weight.item() == seen[2]


def trained(training):
    """The weight of a line after five steps."""
    torch.manual_seed(0)
    module = nn.Linear(1, 1)
    phase = Phase(squared(module), [module], lambda p: [Mode(0.1)])
    minimise([phase], line(), training, steps=5, batch_size=4, key="run")
    return module.weight.item()


@pytest.mark.parametrize(
    "damage",
    [lambda b: b"torn", lambda b: b"", lambda b: b[:-1], lambda b: b[:-1] + bytes([b[-1] ^ 64])],
    ids=["torn", "empty", "short", "a bit"],
)
def test_a_damaged_checkpoint_starts_over_and_says_so(tmp_path, damage):
    whole = trained(Training())
    training = Training(checkpoints=tmp_path, save_every=0)
    trained(training)
    (saved,) = tmp_path.iterdir()
    saved.write_bytes(damage(saved.read_bytes()))
    with pytest.warns(UserWarning, match=r"run.safetensors is damaged .*: training starts over"):
        assert trained(training) == whole


def test_a_full_disk_costs_the_checkpoint_and_not_the_run(tmp_path, monkeypatch):
    def full(path, content):
        path.touch()
        raise OSError(28, "No space left on device")

    whole = trained(Training())
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.warns(UserWarning, match="no checkpoint can be written .*No space left"):
        assert trained(Training(checkpoints=tmp_path, save_every=0)) == whole
    assert list(tmp_path.iterdir()) == []
