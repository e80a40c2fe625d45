"""TCA."""

import numpy as np
import pytest
import torch
from scipy.linalg import eig

from regraft.backbones import vectors
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.heads.kernel import similarity
from regraft.methods.alignment.tca import TCA, transfer_components
from regraft.methods.baselines.source_only import SourceOnly
from regraft.methods.both_sides import Seen
from regraft.problem import Problem
from regraft.training import Training


def matrices(ridge, n=30, m=20):
    luck = torch.Generator().manual_seed(0)
    x = torch.randn(n + m, 3, generator=luck).double()
    kernel = similarity(x, x, torch.tensor(0.3).double())
    e = torch.cat([torch.full((n,), 1 / n), torch.full((m,), -1 / m)]).double()
    h = torch.eye(n + m).double() - 1 / (n + m)
    within = kernel @ torch.outer(e, e) @ kernel + ridge * torch.eye(n + m).double()
    return kernel, e, kernel @ h @ kernel, within


@pytest.mark.parametrize("ridge", [0.01, 1.0, 100.0])
def test_solves_the_generalised_eigenproblem(ridge):
    kernel, e, between, within = matrices(ridge)
    w = transfer_components(kernel, e, 4, ridge)
    torch.testing.assert_close(w.T @ within @ w, torch.eye(4).double(), atol=1e-8, rtol=0)
    values = (w.T @ between @ w).diagonal()
    left, right = between @ w, within @ w * values
    assert (left - right).norm() < 1e-9 * left.norm()
    largest = np.sort(eig(between.numpy(), within.numpy())[0].real)[::-1][:4]
    np.testing.assert_allclose(values, largest, rtol=1e-6)


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_the_head_is_that_of_the_components(heaps, kernel):
    """What is folded says of new samples what the learner says of k(x, X) W."""
    source, target = heaps(60, 0), heaps(50, 1).x + 1
    recipe = TCA(kernel=kernel, components=0, dimension=3)
    sides = recipe.sides(Seen(source, target), Training())
    from regraft.heads.kernel import usual_gamma
    from regraft.heads.principal import principal

    space = principal([source.x, target], 0)
    s, t = space(source.x), space(target)
    x, e = recipe.chosen(s, t, 0)
    assert len(x) == 110
    gamma = usual_gamma(torch.cat([s, t]))
    w = transfer_components(recipe.similarities(x, x, gamma), e, 3, 1.0)
    head = recipe.taught_by(source.with_(x=recipe.similarities(s, x, gamma) @ w), Training())
    torch.testing.assert_close(sides.target(target), head(recipe.similarities(t, x, gamma) @ w))


def test_the_sides_have_one_mean_where_little_else_counts():
    luck = torch.Generator().manual_seed(1)
    x = torch.randn(80, 4, generator=luck).double()
    x[40:, 0] += 5
    e = torch.cat([torch.full((40,), 1 / 40), torch.full((40,), -1 / 40)]).double()
    kernel = x @ x.T
    z = kernel @ transfer_components(kernel, e, 2, 1e-3)
    assert (z[:40].mean(0) - z[40:].mean(0)).norm() < 1e-2 * z.std()


def test_beats_the_source_along_a_direction_that_tells_the_domains_apart():
    """Classes differ in two columns in the source, one of which is elsewhere in the target."""
    luck = torch.Generator().manual_seed(0)

    def drawn(shift, how_much):
        y = (torch.rand(300, generator=luck) < 0.5).double()
        x = torch.randn(300, 6, generator=luck).double()
        x[:, 0] += 2.5 * y
        x[:, 1] = 0.7 * x[:, 1] + how_much * y + shift
        return Domain(x, ["b" if c else "a" for c in y.tolist()])

    source, target = drawn(0.0, 2.5), drawn(5.0, 0.0)
    problem = Problem(source=source, target=target.unlabelled())
    recipes = TCA(kernel="linear", dimension=4), SourceOnly()
    told = [recipe.fit(problem, vectors()).predict(target) for recipe in recipes]
    known = target.output.decode(target.y)
    model, alone = (sum(a == b for a, b in zip(said, known, strict=True)) / 300 for said in told)
    assert model > max(0.8, alone + 0.2)


def test_points_bound_what_is_compared(heaps):
    source, target = heaps(80, 0), heaps(40, 1)
    x, e = TCA(points=30).chosen(source.x, target.x, 0)
    assert len(x) == 30
    assert (e > 0).sum() == 20


def test_a_kernel_on_a_kernel_is_refused(heaps):
    problem = Problem(source=heaps(30, 0), target=heaps(30, 1).unlabelled())
    with pytest.raises(InputError, match="probe or ridge"):
        TCA(learner="kernel").fit(problem, vectors())
