import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from regraft.backbones import vectors
from regraft.folds import complement, stratified_folds
from regraft.heads.logistic import fit_logistic, fit_logistic_each
from regraft.heads.scaling import scaled
from regraft.methods.features.linear_probe import LinearProbe, unscaled
from regraft.selection import evaluate
from regraft.training import Training


def test_is_scikit_learns_optimum_at_the_chosen_strength(problem, network, fresh):
    labelled = problem.target_labelled
    z = network.features(labelled.x)
    u, centre, scale = scaled(z)
    folds = stratified_folds(labelled, 5, seed=0)
    (fit,) = fit_logistic_each(
        u, labelled.labels, labelled.classes.width, [torch.arange(len(u))], [folds], relative=True
    )
    theirs = LogisticRegression(C=fit.strength, tol=1e-10, max_iter=10_000).fit(u.numpy(), labelled.y.numpy())
    new = (network.features(fresh.x).double() - centre) / scale
    model = LinearProbe().fit(problem, network)
    np.testing.assert_allclose(model.probabilities(fresh), theirs.predict_proba(new.numpy()), atol=1e-3)


def test_unscaled_is_the_same_function(problem, network):
    z = network.features(problem.target_labelled.x)
    u, centre, scale = scaled(z)
    fit = fit_logistic(u, problem.target_labelled.labels, problem.target_labelled.classes.width)
    np.testing.assert_allclose(
        unscaled(fit, centre, scale)(z).detach(), u @ fit.weight.T + fit.bias, atol=1e-9
    )


def test_judged_heads_are_those_of_fits_without_the_fold(problem, network):
    """Their strength is chosen by the judge's other folds."""
    labelled = problem.target_labelled
    z = labelled.with_(x=network.features(labelled.x))
    parts = stratified_folds(labelled, 4, seed=1)
    kept = [complement(rows, len(z)) for rows in parts]
    heads = LinearProbe().heads(z, kept, Training())
    for i, (rows, head) in enumerate(zip(kept, heads, strict=True)):
        u, centre, scale = scaled(z.x[rows])
        position = torch.full((len(z),), -1)
        position[rows] = torch.arange(len(rows))
        inside = [position[part] for j, part in enumerate(parts) if j != i]
        everything = [torch.arange(len(rows))]
        (fit,) = fit_logistic_each(
            u, labelled.labels[rows], labelled.classes.width, everything, [inside], relative=True
        )
        ours, theirs = head(z.x).softmax(1), unscaled(fit, centre, scale)(z.x).softmax(1)
        np.testing.assert_allclose(ours.detach(), theirs.detach(), atol=1e-2)


def test_borrowing_beats_the_columns(problem, network, fresh):
    borrowed = evaluate(LinearProbe().fit(problem, network), fresh).value("accuracy")
    alone = evaluate(LinearProbe().fit(problem, vectors()), fresh).value("accuracy")
    assert borrowed > alone + 0.2
