"""The moving average, against sums by hand."""

import torch
from torch import nn

from regraft.averaging import MovingAverage, put_back, states_of


def test_it_is_the_mean_until_its_memory_is_full_and_forgets_from_then_on():
    part = nn.Linear(3, 2)
    average, memory = MovingAverage([part], memory=4), 4
    seen = [torch.randn(2, 3) for _ in range(9)]
    expected = torch.zeros(2, 3, dtype=torch.float64)
    for t, weight in enumerate(seen, start=1):
        with torch.no_grad():
            part.weight.copy_(weight)
        average.take(t)
        share = 1 / min(t, memory)
        expected = (1 - share) * expected + share * weight.double()
        if t <= memory:
            torch.testing.assert_close(expected, torch.stack(seen[:t]).double().mean(0))
        torch.testing.assert_close(average.states[0]["weight"].double(), expected, atol=1e-6, rtol=1e-5)


def test_what_stands_still_stays_to_the_bit_and_counts_are_those_of_now():
    norm = nn.BatchNorm1d(3)
    norm.running_mean.normal_()
    before = states_of([norm])[0]
    average = MovingAverage([norm], memory=3)
    for t in range(1, 8):
        norm.num_batches_tracked.add_(1)
        average.take(t)
    assert all(
        torch.equal(average.states[0][k], before[k]) for k in ("running_mean", "running_var", "weight")
    )
    assert average.states[0]["num_batches_tracked"].item() == 7


def test_it_stands_in_and_leaves_as_it_was():
    part = nn.Linear(2, 2)
    average = MovingAverage([part], memory=2)
    own = part.weight.detach().clone()
    average.states[0]["weight"].zero_()
    with average.standing_in():
        assert not part.weight.any()
    assert torch.equal(part.weight, own)


def test_states_are_copies():
    part = nn.Linear(2, 2)
    kept = states_of([part])
    own = part.weight.detach().clone()
    nn.init.zeros_(part.weight)
    put_back(kept, [part])
    assert torch.equal(part.weight, own)
