"""Autoencoders, plain and tied."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from regraft.backbone import Backbone
from regraft.backbones import small_convnet, small_mlp
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.pretexts.reconstruction.autoencoder import Autoencoder
from regraft.problem import Problem
from regraft.training import Step


def test_tied_it_is_the_formula_with_transposed_weights():
    x = torch.randn(9, 4, generator=torch.Generator().manual_seed(0))
    backbone, task = small_mlp(4, (3, 2)), Autoencoder(tied=True)
    network = task.start(backbone, x)
    with torch.no_grad():
        for p in network.head.parameters():
            p.normal_()
    first, second = (stage.linear for stage in backbone.stages)
    w1, b1, w2, b2, c1, c2 = (
        t.detach().double().numpy()
        for t in (first.weight, first.bias, second.weight, second.bias, *network.head.parameters())
    )
    seen = x.double().numpy()
    z = np.maximum(0, np.maximum(0, seen @ w1.T + b1) @ w2.T + b2)
    made = np.maximum(0, z @ w2 + c2) @ w1 + c1
    aim = (seen - seen.mean(0)) / seen.std(0)
    terms = task.objective(network, Step(Problem(unlabelled=Domain(x)), 0.0))
    np.testing.assert_allclose(terms["reconstruction"].item(), ((aim - made) ** 2).mean(), rtol=1e-5)


def test_tied_weights_learn_once_and_stay_tied():
    x = torch.randn(60, 4, generator=torch.Generator().manual_seed(0))
    network = Autoencoder(tied=True).start(small_mlp(4, (3,)), x)
    parts = [p for part in network.parts for p in part.parameters()]
    assert len(parts) == len({id(p) for p in parts}) == 3  # weight and bias of the stage, and one bias back
    copied = copy.deepcopy(network)
    assert copied.head.blocks[0].of[0] is copied.backbone.stages[0].linear


def test_linear_and_tied_it_finds_the_principal_components():
    luck = torch.Generator().manual_seed(0)
    x = torch.randn(200, 2, generator=luck) @ torch.randn(2, 5, generator=luck)
    x = x + 0.3 * torch.randn(200, 5, generator=luck)
    x = (x - x.mean(0)) / x.std(0, correction=0)
    backbone = Backbone([("linear", nn.Linear(5, 2))], name="toy", pretrained=False)
    task = Autoencoder(tied=True, epochs=0, least_steps=200, batch_size=200, rate=5e-2, weight_decay=0.0)
    made = task.pretrain(Domain(x), backbone)
    _, values, _ = np.linalg.svd(x.double().numpy(), full_matrices=False)
    best = (values[2:] ** 2).sum() / x.numel()
    assert made.history.terms["reconstruction"][-1] == pytest.approx(best, rel=0.01)


def test_tied_weights_of_convolutions_are_refused():
    pool = Domain(torch.zeros(9, 8, 8, dtype=torch.uint8))
    with pytest.raises(InputError, match="one fully connected layer each"):
        Autoencoder(tied=True).pretrain(pool, small_convnet((8, 8), "grey", width=2))


def test_what_is_needed_to_draw_letters_tells_them(gain):
    more, made = gain(Autoencoder(epochs=0, least_steps=120, batch_size=64))
    assert more > 0.05
    assert made.history.terms["reconstruction"][-1] < 0.8 * made.history.terms["reconstruction"][0]
