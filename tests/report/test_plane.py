import torch

from regraft.report.plane import plane


def test_principal_components_are_those_of_the_covariance():
    x = torch.randn(60, 4, generator=torch.Generator().manual_seed(0)) * torch.tensor([5.0, 3.0, 0.5, 0.1])
    points, how = plane(x)
    assert "principal components" in how
    values, vectors = torch.linalg.eigh(torch.cov(x.double().T))
    expected = (x.double() - x.double().mean(0)) @ vectors[:, [3, 2]]
    ratio = (points / expected).abs()
    torch.testing.assert_close(ratio, ratio[:1].expand_as(ratio))
    assert f"{100 * values[2:].sum() / values.sum():.0f} %" in how


def test_many_flat_directions_are_unfolded():
    """Eight groups, each along a direction of its own, of which two principal components show two."""
    generator = torch.Generator().manual_seed(0)
    group = torch.arange(80) % 8
    x = 6 * torch.eye(8)[group] + 0.5 * torch.randn(80, 8, generator=generator)
    points, how = plane(x)
    assert "t-SNE" in how
    assert torch.equal(points, plane(x)[0])
    nearest = torch.cdist(points, points).fill_diagonal_(float("inf")).argmin(1)
    assert (group[nearest] == group).double().mean() > 0.9


def test_samples_that_are_all_the_same():
    points, _ = plane(torch.ones(5, 3))
    assert torch.equal(points, torch.zeros(5, 2, dtype=torch.float64))
    assert plane(torch.ones(4, 1))[0].shape == (4, 2)
