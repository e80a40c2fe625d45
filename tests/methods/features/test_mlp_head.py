import numpy as np
import torch

from regraft.backbones import vectors
from regraft.methods.features.linear_probe import LinearProbe
from regraft.methods.features.mlp_head import MLPHead
from regraft.problem import Problem
from regraft.selection import evaluate


def test_scores_are_the_formula(problem, network, fresh):
    head = MLPHead(epochs=1, least_steps=5, held_out=0.0).fit(problem, network).head
    z = network.features(fresh.x).numpy()
    train = network.features(problem.target_labelled.x).numpy()
    u = (z - train.mean(0)) / np.sqrt(((train - train.mean(0)) ** 2).mean())
    first, last = head.layers[0], head.layers[3]
    hidden = np.maximum(u @ first.weight.detach().numpy().T + first.bias.detach().numpy(), 0)
    expected = hidden @ last.weight.detach().numpy().T + last.bias.detach().numpy()
    np.testing.assert_allclose(head(torch.from_numpy(z)).detach(), expected, atol=1e-4)


def test_bends_where_a_line_cannot(fresh):
    fresh = fresh.with_(x=fresh.x[:, :4])
    train, held_out = Problem(target_labelled=fresh[:300]), fresh[300:]
    ours = evaluate(MLPHead().fit(train, vectors()), held_out).value("accuracy")
    line = evaluate(LinearProbe().fit(train, vectors()), held_out).value("accuracy")
    assert ours > line + 0.1
