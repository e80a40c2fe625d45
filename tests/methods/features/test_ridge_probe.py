import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier, RidgeCV
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from regraft.backbones import vectors
from regraft.domain import Domain
from regraft.heads.scaling import scaled
from regraft.methods.features.ridge_probe import RidgeProbe
from regraft.output import Real
from regraft.problem import Problem
from regraft.selection import evaluate


def test_plane_is_scikit_learns(problem, network, fresh):
    labelled = problem.target_labelled
    u, centre, scale = scaled(network.features(labelled.x))
    new = ((network.features(fresh.x).double() - centre) / scale).numpy()
    ours = RidgeProbe().fit(problem, network).logits(fresh)
    margin = (ours[:, 1] - ours[:, 0]).numpy()
    correlations = [
        np.corrcoef(
            RidgeClassifier(alpha=a).fit(u.numpy(), labelled.y.numpy()).decision_function(new), margin
        )[0, 1]
        for a in np.logspace(-6, 6, 49)
    ]
    assert max(correlations) > 0.9999


def test_probabilities_are_sharpened_to_the_data(fresh, network):
    from regraft.problem import Problem

    scores = evaluate(RidgeProbe().fit(Problem(target_labelled=fresh[:200]), network), fresh[200:])
    raw = np.log1p(np.exp(-2 * 1.0))  # the loss of a sample exactly at its target, unsharpened
    assert scores.loss < 0.2
    assert raw > 0.1


def test_borrowing_beats_the_columns(problem, network, fresh):
    borrowed = evaluate(RidgeProbe().fit(problem, network), fresh).value("accuracy")
    alone = evaluate(RidgeProbe().fit(problem, vectors()), fresh).value("accuracy")
    assert borrowed > alone + 0.2


@pytest.mark.data
def test_several_numbers_are_told_as_well_as_by_scikit_learn(shared):
    """Three metals in the soil of the Jura, from a third of the places held out."""
    held = np.load(shared / "multi_target" / "jura.npz")
    x, y = held["x"].astype(float), held["y"].astype(float)
    order = np.random.default_rng(0).permutation(len(x))
    fitted, tested = order[120:], order[:120]
    soil = Domain(x[fitted], y[fitted], Real(tuple(map(str, held["names_y"]))))
    model = RidgeProbe().fit(Problem(target_labelled=soil), vectors())
    peer = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-4, 4, 17), alpha_per_target=True))
    theirs = r2_score(y[tested], peer.fit(x[fitted], y[fitted]).predict(x[tested]))
    assert theirs > 0.4
    assert r2_score(y[tested], model.predict(x[tested])) == pytest.approx(theirs, abs=0.02)
