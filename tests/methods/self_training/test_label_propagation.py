"""LabelPropagation."""

import numpy as np
import torch
from sklearn.datasets import make_moons

from regraft.backbones import vectors
from regraft.domain import Domain
from regraft.methods.features.ridge_probe import RidgeProbe
from regraft.methods.self_training.label_propagation import LabelPropagation, cosine_graph, sureness
from regraft.problem import Problem


def test_the_graph_by_hand():
    u = torch.nn.functional.normalize(torch.randn(12, 4), dim=1)
    cosine = (u @ u.T).double().numpy()
    np.fill_diagonal(cosine, -np.inf)
    a = np.zeros((12, 12))
    for i, row in enumerate(cosine):
        for j in np.argsort(-row)[:3]:
            a[i, j] = max(0.0, row[j]) ** 2
    np.testing.assert_allclose(cosine_graph(u, 3, 2.0).toarray(), a + a.T, atol=1e-6)


def test_sureness_is_what_the_entropy_leaves():
    p = torch.rand(5, 4).double().softmax(1)
    by_hand = [1 + sum(v * np.log(v) for v in row) / np.log(4) for row in p.tolist()]
    np.testing.assert_allclose(sureness(7 * p).numpy(), by_hand)


def bent(n, seed):
    """Two moons, the squares and products of whose places a linear head can use."""
    x, y = make_moons(n, noise=0.06, random_state=seed)
    x = torch.tensor(x - [0.5, 0.25]).float()
    powers = [x[:, 0] ** i * x[:, 1] ** j for i in range(4) for j in range(4 - i) if i + j]
    return Domain(torch.stack(powers, 1), ["left" if c == 0 else "right" for c in y])


def test_labels_flow_along_bent_classes():
    few, pool, test = bent(8, 1), bent(400, 2), bent(400, 3)
    problem = Problem(target_labelled=few, unlabelled=pool.unlabelled())
    right, alone = (
        (recipe.fit(problem, vectors()).logits(test).argmax(1) == test.y).float().mean()
        for recipe in (LabelPropagation(neighbours=5), RidgeProbe())
    )
    assert right > alone + 0.05
    assert right > 0.95


def test_with_mass_the_classes_keep_their_shares():
    x = torch.randn(60, 2)
    few = Domain([[3.0, 0.0], [-3.0, 0.0]], ["a", "b"])
    head = LabelPropagation(neighbours=5, apart=False).fit(
        Problem(target_labelled=few, unlabelled=Domain(x)), vectors()
    )
    assert head.provenance["reached"] <= 60
    assert 0 < head.provenance["counts_as"] <= head.provenance["reached"]


def test_seen_apart_a_move_changes_nothing():
    x, y = torch.randn(60, 3), torch.arange(60) % 2
    x[:, 0] += 5 * y
    few = Domain(x[:20], y[:20].tolist())
    recipe, models = LabelPropagation(apart=True), []
    for moved in (0.0, 40.0):
        problem = Problem(source=few, target=Domain(x[20:] + moved))
        models.append(recipe.fit(problem, vectors()).logits(x[20:] + moved))
    torch.testing.assert_close(models[0], models[1], rtol=1e-3, atol=1e-3)
