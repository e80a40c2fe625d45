import numpy as np
from sklearn.linear_model import LogisticRegression

from regraft.backbones import vectors
from regraft.heads.scaling import scaled
from regraft.methods.features.linear_probe import LinearProbe, unscaled
from regraft.selection import evaluate


def test_is_scikit_learns_optimum_at_the_chosen_strength(problem, network, fresh):
    labelled = problem.target_labelled
    z = network.features(labelled.x)
    u, centre, scale = scaled(z)
    fit = LinearProbe().fit_scaled(labelled.with_(x=u), seed=0)
    theirs = LogisticRegression(C=fit.strength, tol=1e-10, max_iter=10_000).fit(u.numpy(), labelled.y.numpy())
    new = (network.features(fresh.x).double() - centre) / scale
    model = LinearProbe().fit(problem, network)
    np.testing.assert_allclose(model.probabilities(fresh), theirs.predict_proba(new.numpy()), atol=2e-4)


def test_unscaled_is_the_same_function(problem, network):
    z = network.features(problem.target_labelled.x)
    u, centre, scale = scaled(z)
    fit = LinearProbe().fit_scaled(problem.target_labelled.with_(x=u), seed=0)
    np.testing.assert_allclose(
        unscaled(fit, centre, scale)(z).detach(), u @ fit.weight.T + fit.bias, atol=1e-9
    )


def test_borrowing_beats_the_columns(problem, network, fresh):
    borrowed = evaluate(LinearProbe().fit(problem, network), fresh).value("accuracy")
    alone = evaluate(LinearProbe().fit(problem, vectors()), fresh).value("accuracy")
    assert borrowed > alone + 0.2
