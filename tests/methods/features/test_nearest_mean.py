import numpy as np
import torch

from regraft.backbones import vectors
from regraft.heads import left_out_squared
from regraft.methods.features.nearest_mean import NearestMean
from regraft.selection import evaluate


def test_scores_are_the_distances_of_the_docstring(problem, network, fresh):
    model = NearestMean().fit(problem, network)
    z = network.features(problem.target_labelled.x).double().numpy()
    new = network.features(fresh.x).double().numpy()
    y = problem.target_labelled.y.numpy()
    unit = lambda a: (a - z.mean(0)) / np.linalg.norm(a - z.mean(0), axis=1, keepdims=True)  # noqa: E731
    means = np.stack([unit(z)[y == c].mean(0) for c in (0, 1)])
    squared = ((unit(new)[:, None] - means[None]) ** 2).sum(2)
    ours = model.logits(fresh).numpy()
    tau = ours[0, 0] / -squared[0, 0]
    np.testing.assert_allclose(ours, -tau * squared, rtol=1e-5)


def test_left_out_squared_are_those_of_leaving_out(problem):
    u, y = problem.target_labelled.x.double(), problem.target_labelled.y
    fast = left_out_squared(u, y, 2)
    for i in range(len(u)):
        kept = torch.arange(len(u)) != i
        for c in (0, 1):
            mean = u[kept & (y == c)].mean(0)
            torch.testing.assert_close(fast[i, c], (u[i] - mean).pow(2).sum())


def test_borrowing_beats_the_columns(problem, network, fresh):
    borrowed = evaluate(NearestMean().fit(problem, network), fresh).value("accuracy")
    alone = evaluate(NearestMean().fit(problem, vectors()), fresh).value("accuracy")
    assert borrowed > alone + 0.2


def test_one_label_a_class_is_enough_to_run(problem, network, fresh):
    few = problem.restricted(torch.tensor([0, 1]))
    assert evaluate(NearestMean().fit(few, network), fresh).value("accuracy") > 0.5
