"""CORAL across sources."""

import torch

from regraft.backbones import small_mlp
from regraft.heads import Linear
from regraft.methods.several_sources.coral_across import CORALAcross
from regraft.problem import Problem
from regraft.terms.moments import coral_distance
from regraft.terms.risk import risk
from regraft.trained import Network
from regraft.training import Step


def test_the_terms_by_their_definition(uneven, columns):
    network = Network(columns, Linear(2, 2, "float32"))
    source = uneven.with_(origin=torch.arange(200) % 3)
    told = CORALAcross(coral_weight=0.3).objective(network, Step(Problem(source=source), 0.0))
    parts = [source.x[source.origin == one] for one in range(3)]
    pairs = [(0, 1), (0, 2), (1, 2)]
    expected = 0.3 * sum(coral_distance(parts[i], parts[j]) for i, j in pairs) / 3
    torch.testing.assert_close(told["coral"], expected)
    torch.testing.assert_close(told["risk"], risk(network(source.x), source))
    assert set(CORALAcross(coral_weight=0.0).objective(network, Step(Problem(source=source), 0.0))) == {
        "risk"
    }


def test_features_of_the_sources_become_alike(uneven):
    moved = uneven.with_(x=uneven.x + 2.0 * uneven.origin[:, None])

    def apart(weight):
        recipe = CORALAcross(coral_weight=weight, epochs=5, least_steps=60)
        z = recipe.fit(Problem(source=moved), small_mlp(2)).features(moved)
        z = z / z.std()
        return coral_distance(z[:180], z[180:])

    assert apart(10.0) < apart(0.0)
