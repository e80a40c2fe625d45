"""The moving average of the weights that training passes through."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import final

import torch
from torch import Tensor, nn

States = list[dict[str, Tensor]]


def states_of(parts: Sequence[nn.Module]) -> States:
    """A copy of every parameter and statistic."""
    return [{k: v.detach().clone() for k, v in part.state_dict().items()} for part in parts]


def put_back(states: States, parts: Sequence[nn.Module]) -> None:
    """What `states_of` copied."""
    for part, state in zip(parts, states, strict=True):
        part.load_state_dict(state)


@final
class MovingAverage:
    """θ̄ₜ = θ̄ₜ₋₁ + (θₜ − θ̄ₜ₋₁) / min(t, τ): the mean of all weights so far, from step τ on one that forgets.

    parts: what is averaged. memory: τ in steps. A step of gradient descent overshoots by what its few samples
    have of their own; the mean of many steps does not. Statistics that BatchNorm counts are averaged like
    weights; those that stand still, and whatever is frozen, stay as they are to the bit.

    Izmailov et al., Averaging weights leads to wider optima, UAI 2018, arXiv:1803.05407, with the
    forgetting of Polyak averages as Tarvainen & Valpola (NeurIPS 2017, arXiv:1703.01780) have it.

    >>> part = nn.Linear(1, 1, bias=False)
    >>> average = MovingAverage([part], memory=2)
    >>> for t, weight in enumerate([4.0, 6.0, 1.0], start=1):
    ...     _ = nn.init.constant_(part.weight, weight)
    ...     average.take(t)
    >>> average.states[0]["weight"].item()
    3.0
    """

    def __init__(self, parts: Sequence[nn.Module], memory: int) -> None:
        self.parts = parts
        self.memory = memory
        self.states = states_of(parts)

    @torch.no_grad()
    def take(self, step: int) -> None:
        """The weights after step t, counted from 1."""
        share = 1 / min(step, self.memory)
        for part, mean in zip(self.parts, self.states, strict=True):
            now = part.state_dict()
            real = [k for k, v in now.items() if v.is_floating_point()]
            if real:
                torch._foreach_lerp_([mean[k] for k in real], [now[k] for k in real], share)
            for k in now.keys() - set(real):
                mean[k].copy_(now[k])

    @contextmanager
    def standing_in(self) -> Iterator[None]:
        """The parts hold the average for as long as the context lasts."""
        own = states_of(self.parts)
        put_back(self.states, self.parts)
        try:
            yield
        finally:
            put_back(own, self.parts)
