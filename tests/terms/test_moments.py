"""Moments of several samples."""

import numpy as np
import torch

from regraft.terms.moments import coral_distance, moment_distance, pairs_of, parts_of


def two():
    luck = torch.Generator().manual_seed(0)
    return torch.randn(7, 3, generator=luck), 2 * torch.randn(9, 3, generator=luck) + 1


def test_moments_by_numpy():
    a, b = two()
    powers = [(a.numpy() ** k).mean(0) - (b.numpy() ** k).mean(0) for k in (1, 2, 3)]
    expected = sum(np.linalg.norm(apart) for apart in powers)
    torch.testing.assert_close(moment_distance(a, b, 3), torch.tensor(float(expected)))


def test_coral_by_numpy():
    a, b = two()
    means = np.square(a.numpy().mean(0) - b.numpy().mean(0)).sum() / 3
    covariances = np.square(np.cov(a.numpy().T) - np.cov(b.numpy().T)).sum() / 9
    torch.testing.assert_close(coral_distance(a, b), torch.tensor(float(means + covariances)))


def test_where_nothing_differs_the_gradient_is_a_number():
    a, _ = two()
    a.requires_grad_()
    (moment_distance(a, a.detach()) + coral_distance(a, a.detach())).backward()
    assert a.grad.isfinite().all()


def test_pairs_of_what_is_there():
    z = torch.arange(5.0)[:, None]
    parts = parts_of(z, torch.tensor([2, 0, 2, 1, 0]), least=2)
    assert [part.flatten().tolist() for part in parts] == [[1.0, 4.0], [0.0, 2.0]]
    assert len(pairs_of([*parts, z])) == 3
