"""Real or made up."""

import numpy as np
import pytest
import torch

from regraft.backbones import small_mlp
from regraft.domain import Domain
from regraft.pretexts.adversarial.discriminator import Discriminator
from regraft.problem import Problem
from regraft.training import Step


def test_the_terms_are_those_of_the_papers():
    x = torch.randn(6, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 2.0, 5.0])
    task = Discriminator(latent=4, slope=3.0)
    network = task.start(small_mlp(3, (8,)), x).eval()
    batch = Step(Problem(unlabelled=Domain(x)), 0.0)
    torch.manual_seed(1)
    terms = {name: term.item() for name, term in task.objective(network, batch).items()}
    torch.manual_seed(1)
    deceived = task.deceive(network, batch)["deceive"].item()
    torch.manual_seed(1)
    made = network.beside["generator"].make(6).detach()

    def critic(rows):
        return network(rows).detach().double().numpy()[:, 0]

    assert terms["real"] == pytest.approx(np.log1p(np.exp(-critic(x))).mean(), rel=1e-4)
    assert terms["made"] == pytest.approx(np.log1p(np.exp(critic(made))).mean(), rel=1e-4)
    assert deceived == pytest.approx(np.log1p(np.exp(-critic(made))).mean(), rel=1e-4)
    spread, h, total = x.double().numpy().std(0), 1e-3, 0.0
    for j in range(3):
        step = torch.zeros(3)
        step[j] = h
        total += (((critic(x + step) - critic(x - step)) / (2 * h) * spread[j]) ** 2).mean()
    assert terms["slope"] == pytest.approx(1.5 * total, rel=0.05)


def test_the_turns_change_each_their_own():
    x = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    network = Discriminator().start(small_mlp(3, (8,)), x)
    tell, deceive = Discriminator().turns(network)
    assert [turn.momentum for turn in (tell, deceive)] == [0.5, 0.5]
    schedule = Discriminator().schedule(1, 1e-3)
    assert [mode.which for mode in tell.modes(network, schedule(0.5))] == ["all", "all", "nothing"]
    assert [mode.which for mode in deceive.modes(network, schedule(0.5))] == ["nothing", "nothing", "all"]


def test_it_settles_and_to_tell_real_rows_is_to_know_how_columns_hang_together(gain, factors):
    pool, labelled = factors
    task = Discriminator(epochs=0, least_steps=150, batch_size=64)
    more, made = gain(task, small_mlp(pool.x.shape[1], (32, 8)), labelled, pool)
    assert more > 0.04
    assert all(np.isfinite(values).all() for values in made.history.terms.values())
    for name in ("real", "made", "deceive"):  # log 2 where neither wins
        assert 0.3 < np.mean(made.history.terms[name][-20:]) < 1.2
