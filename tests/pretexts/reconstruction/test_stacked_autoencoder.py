"""Stage by stage, then all."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from regraft.backbones import small_mlp
from regraft.domain import Domain
from regraft.pretexts.reconstruction.stacked_autoencoder import StackedAutoencoder
from regraft.problem import Problem
from regraft.training import Step, Training


def test_who_learns_when_follows_from_progress():
    task = StackedAutoencoder(greedy=0.6, shape="cosine")
    modes = task.schedule(3, 1e-3)
    learning = [[mode.trainable for mode in modes(p)] for p in (0.0, 0.1, 0.3, 0.55, 0.7, 0.99)]
    first, second, third = [True, False, False, True], [False, True, False, True], [False, False, True, True]
    assert learning == [first, first, second, third, [True] * 4, [True] * 4]
    assert task.turn_at(0.3, 3) == (1, pytest.approx(0.5))
    assert task.turn_at(0.8, 3) == (3, pytest.approx(0.5))
    heights = [max(mode.rate for mode in modes(0.2 * k + 0.02)) for k in (0, 1, 2)]
    assert heights == pytest.approx([task.rate] * 3)  # a tenth into every turn


def test_the_shallow_objective_is_that_of_activations_below():
    x = torch.randn(9, 4, generator=torch.Generator().manual_seed(0))
    task, backbone = StackedAutoencoder(greedy=0.5), small_mlp(4, (3, 2))
    network = task.start(backbone, x).eval()
    batch = Problem(unlabelled=Domain(x))
    first, second = (stage.linear for stage in backbone.stages)
    z1 = np.maximum(0, x.numpy() @ first.weight.detach().numpy().T + first.bias.detach().numpy())
    z2 = np.maximum(0, z1 @ second.weight.detach().numpy().T + second.bias.detach().numpy())
    (told,) = task.objective(network, Step(batch, 0.4)).items()
    made = network.head.blocks[1](torch.from_numpy(z2)).detach().numpy()
    assert told[0] == "stage 2"
    assert told[1].item() == pytest.approx(((z1 - made) ** 2).mean(), rel=1e-5)
    assert list(task.objective(network, Step(batch, 0.6))) == ["reconstruction"]


def test_stages_learn_one_after_another():
    x = torch.randn(40, 4, generator=torch.Generator().manual_seed(0))
    task = StackedAutoencoder(epochs=0, least_steps=30, batch_size=20, greedy=0.9)
    network = small_mlp(4, (6, 3))
    seen = []

    def watch(backbone):
        seen.append([stage.linear.weight.detach().clone() for stage in backbone.stages])
        return {}

    task.pretrain(Domain(x), network, watch=watch)
    moved = [[not torch.equal(a, b) for a, b in zip(*two, strict=True)] for two in pairwise(seen)]
    # a look every three steps; of 27 steps the first stage has 13
    assert moved[:4] == [[True, False]] * 4
    assert moved[5:9] == [[False, True]] * 4
    assert moved[9] == [True, True]


def test_resumed_within_a_turn_it_is_the_same(killer, tmp_path):
    x = torch.randn(40, 4, generator=torch.Generator().manual_seed(0))
    task, network = StackedAutoencoder(epochs=0, least_steps=12, batch_size=20), small_mlp(4, (6, 3))
    whole = task.pretrain(Domain(x), network).backbone.fingerprint()
    for step in (2, 5, 9):  # in the turn of either stage, and of all
        kept = tmp_path / str(step)
        with pytest.raises(killer.Killed):
            task.pretrain(Domain(x), network, Training(checkpoints=kept, save_every=0, progress=killer(step)))
        again = task.pretrain(Domain(x), network, Training(checkpoints=kept, save_every=0))
        assert again.backbone.fingerprint() == whole


def test_columns_that_tell_of_one_another_are_learned(gain, factors):
    pool, labelled = factors
    task = StackedAutoencoder(epochs=0, least_steps=150, batch_size=64, rate=5e-3)
    more, _ = gain(task, small_mlp(pool.x.shape[1], (32, 8)), labelled, pool)
    assert more > 0.05
