"""Moment matching of several sources and a target."""

import torch

from regraft.backbones import small_mlp
from regraft.heads import Linear
from regraft.methods.several_sources.moment_matching import MomentMatching
from regraft.problem import Problem
from regraft.terms.moments import moment_distance
from regraft.trained import Network
from regraft.training import Step


def test_the_term_by_its_definition(uneven, columns):
    network = Network(columns, Linear(2, 2, "float32"))
    source, target = uneven.with_(origin=torch.arange(200) % 3), uneven[::7].unlabelled()
    step = Step(Problem(source=source, target=target), 0.0)
    [told] = MomentMatching(moment_weight=0.3).transfer(network, step, source.x).values()
    parts = [source.x[source.origin == one] for one in range(3)]
    to_target = sum(moment_distance(part, target.x, 2) for part in parts) / 3
    between = sum(moment_distance(parts[i], parts[j], 2) for i, j in [(0, 1), (0, 2), (1, 2)]) / 3
    torch.testing.assert_close(told, 0.3 * (to_target + between))


def test_all_domains_become_alike(uneven):
    target = uneven.unlabelled().with_(x=uneven.x + 2.0, origin=None)

    def apart(weight):
        recipe = MomentMatching(moment_weight=weight, epochs=5, least_steps=60)
        model = recipe.fit(Problem(source=uneven, target=target), small_mlp(2))
        of_source, of_target = model.features(uneven), model.features(target)
        return moment_distance(of_source, of_target, 1) / of_source.std()

    assert apart(1.0) < apart(0.0)
