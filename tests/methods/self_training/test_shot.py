"""SHOT."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from regraft.backbones import small_mlp
from regraft.domain import Domain
from regraft.heads import Linear
from regraft.methods.self_training.shot import SHOT, class_directions
from regraft.problem import Problem
from regraft.training import Step, Training

QUICK = {"epochs": 1, "least_steps": 20, "batch_size": 16}


def test_directions_of_classes_by_loop():
    z, p = torch.randn(9, 3), (2 * torch.randn(9, 4)).softmax(1)
    p[:, 3] = 1e-9  # of a class that nobody is near to
    means, found = class_directions(z, p)
    u = [torch.cat([row, torch.ones(1)]) / (row.square().sum() + 1).sqrt() for row in z]
    first = [sum(p[i, k] * u[i] for i in range(9)) / p[:, k].sum() for k in range(4)]
    label = [max(range(4), key=lambda k: float(u[i] @ first[k] / first[k].norm())) for i in range(9)]
    for k in range(4):
        mine = [u[i] for i in range(9) if label[i] == k]
        assert bool(found[k]) == bool(mine)
        if mine:
            torch.testing.assert_close(means[k], torch.stack(mine).mean(0))


def test_the_second_objective_by_hand():
    target = torch.randn(12, 3)
    problem = Problem(source=Domain(torch.randn(6, 3), ["a", "b", "c"] * 2), target=Domain(target))
    recipe = SHOT(adaptation=0.5, labels_weight=0.2)
    head = Linear(4, 3, "float32")
    torch.nn.init.normal_(head.weight)
    network = recipe.network(small_mlp(3, widths=(5, 4)), head, problem)
    batch = target[:7]
    terms = recipe.adapt(network, Step(problem.having("target", Domain(batch)), 0.8))
    scores = network(batch)
    p = scores.softmax(1)
    entropy = -(p * p.log()).sum(1).mean()
    of_mean = -(p.mean(0) * p.mean(0).log()).sum()
    torch.testing.assert_close(terms["information"], 0.5 * (entropy - of_mean))
    z = network.features(target).detach()
    means, found = class_directions(z, network.head(z).softmax(1))
    u = torch.cat([z[:7], torch.ones(7, 1)], 1)
    cosine = torch.nn.functional.cosine_similarity(u[:, None], means[None], dim=2)
    label = cosine.masked_fill(~found, -2).argmax(1)
    torch.testing.assert_close(terms["labels"], 0.5 * 0.2 * cross_entropy(scores, label))


def test_after_its_share_the_source_is_not_looked_at_and_the_head_stays(away, monkeypatch):
    recipe, problem = SHOT(**QUICK, source_first=0.5), away.only(SHOT.needs)
    heads, seen = [], []
    adapt = SHOT.adapt

    def watching(self, network, step):
        seen.append(step.progress)
        heads.append(network.head.weight.detach().clone())
        return adapt(self, network, step)

    monkeypatch.setattr(SHOT, "adapt", watching)
    model = recipe.fit(problem, small_mlp(20), Training())
    late = [h for h, p in zip(heads, seen, strict=True) if p >= 0.5]
    assert all(torch.equal(h, late[0]) for h in late)
    assert torch.equal(model.head.weight, late[0])
    assert not torch.equal(heads[0], late[0])
    terms = recipe.learn_source(None, Step(Problem(), 0.5))  # with nothing to look at
    assert terms["risk"] == 0


def test_means_are_taken_anew_so_often(away, monkeypatch):
    from regraft.methods.self_training.shot import Centroids

    calls, refresh = [], Centroids.refresh
    monkeypatch.setattr(Centroids, "refresh", lambda self, network: (calls.append(1), refresh(self, network)))
    SHOT(**QUICK, refresh=4).fit(away.only(SHOT.needs), small_mlp(20))
    assert len(calls) == 3  # of ten steps


@pytest.mark.parametrize("b", [0.0, 0.3])
def test_gains_where_a_column_moved(gain, b):
    recipe = SHOT(epochs=1, least_steps=150, batch_size=64, rate=3e-3, stage_rate=3e-3, labels_weight=b)
    assert gain(recipe, "a column that moved") > 0.1
