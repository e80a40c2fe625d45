import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from regraft.backbones import vectors
from regraft.heads.neighbours import UNSEEN
from regraft.methods.features.nearest_neighbours import NearestNeighbours
from regraft.problem import Problem
from regraft.selection import evaluate


@pytest.mark.parametrize("k", [1, 3, 5])
def test_votes_agree_with_scikit_learn(problem, network, fresh, k):
    model = NearestNeighbours(neighbours=k).fit(problem, network)
    z = network.features(problem.target_labelled.x).double().numpy()
    new = network.features(fresh.x).double().numpy()
    theirs = KNeighborsClassifier(k, metric="cosine").fit(z - z.mean(0), problem.target_labelled.y.numpy())
    share = theirs.predict_proba(new - z.mean(0))
    np.testing.assert_allclose(model.probabilities(fresh), (share + UNSEEN) / (1 + 2 * UNSEEN), atol=1e-6)


def test_borrowing_beats_the_columns(problem, network, fresh):
    borrowed = evaluate(NearestNeighbours().fit(problem, network), fresh).value("accuracy")
    alone = evaluate(NearestNeighbours().fit(problem, vectors()), fresh).value("accuracy")
    assert borrowed > alone + 0.2


def test_the_number_of_neighbours_is_the_best_left_out(problem, network):
    head = NearestNeighbours().fit(problem, network).head
    z, y = head.points.double().numpy(), head.labels.numpy()
    loss = {}
    for k in (1, 3, 5, 10, 20):
        chances = []
        for i in range(len(z)):
            kept = np.arange(len(z)) != i
            theirs = KNeighborsClassifier(k, metric="cosine").fit(z[kept], y[kept])
            share = theirs.predict_proba(z[i : i + 1])[0, y[i]]
            chances.append((share + UNSEEN) / (1 + 2 * UNSEEN))
        loss[k] = -np.log(chances).mean()
    assert head.nearest == min(loss, key=loss.get)
    assert isinstance(Problem(), Problem)


def test_a_few_at_a_time_say_what_all_say_at_once(problem, network, fresh, monkeypatch):
    recipe = NearestNeighbours()
    whole = recipe.fit(problem, network)
    monkeypatch.setattr("regraft.heads.neighbours.AT_ONCE", 3 * len(problem.target_labelled))
    parts = recipe.fit(problem, network)
    assert parts.head.nearest == whole.head.nearest
    assert parts.logits(fresh.x).equal(whole.logits(fresh.x))
