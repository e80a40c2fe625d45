"""Adapted Gaussians."""

import pytest
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from torch.distributions import MultivariateNormal
from torch.nn.functional import one_hot

from regraft.backbones import vectors
from regraft.domain import Domain
from regraft.methods.baselines.source_only import SourceOnly
from regraft.methods.self_training.adapted_gaussians import AdaptedGaussians, Gaussians
from regraft.problem import Problem


def heaps(n, seed, share=0.5):
    luck = torch.Generator().manual_seed(seed)
    y = (torch.rand(n, generator=luck) < share).long()
    x = torch.randn(n, 5, generator=luck).double()
    x[:, 0] += 4 * y
    return Domain(x, ["b" if c else "a" for c in y.tolist()])


def test_with_the_source_alone_it_is_linear_discriminant_analysis():
    source, target = heaps(100, 0), heaps(80, 1).x
    member = torch.full((80, 2), 0.5).double()
    found = AdaptedGaussians(kept=1.0, ridge=0.0).maximised(
        source.x, one_hot(source.y).double(), target, member
    )
    log_pi = (torch.bincount(source.y) / 100).double().log()
    theirs = LinearDiscriminantAnalysis(solver="lsqr").fit(source.x.numpy(), source.y.numpy())
    p = found.classifier(log_pi)(target).softmax(1).detach()
    torch.testing.assert_close(p, torch.from_numpy(theirs.predict_proba(target.numpy())), atol=1e-6, rtol=0)


def test_every_step_raises_the_objective():
    """That of the docstring, with torch's own densities."""
    source, target, luck = heaps(60, 0), heaps(50, 1).x + 1, torch.Generator().manual_seed(2)
    recipe, known = AdaptedGaussians(kept=0.3, ridge=0.2), one_hot(source.y).double()
    member = torch.rand(50, 2, generator=luck).double()
    member = member / member.sum(1, keepdim=True)
    values = []
    for _ in range(30):
        found, pi = recipe.maximised(source.x, known, target, member), member.mean(0)
        densities = [MultivariateNormal(mean, found.covariance) for mean in found.means]
        log_t, log_s = (torch.stack([d.log_prob(x) for d in densities], 1) for x in (target, source.x))
        own = (known * log_s).sum(1).mean()
        penalty = 0.1 * found.covariance.inverse().trace()
        values.append(float(0.7 * (log_t + pi.log()).logsumexp(1).mean() + 0.3 * own - penalty))
        member = found.classifier(pi.log())(target).softmax(1).detach()
    steps = torch.tensor(values).diff()
    assert (steps > -1e-9).all()
    assert steps[-1] < 1e-3


def test_the_classifier_is_bayes_rule():
    luck = torch.Generator().manual_seed(0)
    root = torch.randn(3, 3, generator=luck).double()
    found = Gaussians(torch.randn(2, 3, generator=luck).double(), root @ root.T + torch.eye(3).double())
    z, log_pi = torch.randn(9, 3, generator=luck).double(), torch.tensor([0.3, 0.7]).double().log()
    joint = torch.stack([MultivariateNormal(m, found.covariance).log_prob(z) for m in found.means], 1)
    torch.testing.assert_close(found.classifier(log_pi)(z).softmax(1), (joint + log_pi).softmax(1))


@pytest.mark.parametrize("seed", [0, 2, 4])
def test_beats_the_source_where_heaps_are_turned(seed):
    source, target = heaps(300, seed), heaps(300, seed + 1)
    turn = torch.eye(5).double()
    turn[:2, :2] = torch.tensor([[0.7, -0.7], [0.7, 0.7]])
    target = target.with_(x=target.x @ turn.T + 3)
    problem, known = Problem(source=source, target=target.unlabelled()), target.output.decode(target.y)
    told = [recipe.fit(problem, vectors()).predict(target) for recipe in (AdaptedGaussians(), SourceOnly())]
    model, alone = (sum(a == b for a, b in zip(said, known, strict=True)) / 300 for said in told)
    assert model > max(0.9, alone + 0.1)


def test_shares_are_the_targets_own_or_the_sources():
    problem = Problem(source=heaps(300, 0), target=heaps(300, 1, 0.6).unlabelled())
    own, kept = (AdaptedGaussians(proportions=each).fit(problem, vectors()) for each in ("estimated", "kept"))
    assert abs(own.provenance["priors"]["b"] - 0.6) < 0.06
    share = float(problem.source.y.double().mean())
    assert kept.provenance["priors"]["b"] == pytest.approx(share)
    assert float(kept.probabilities(problem.target)[:, 1].mean()) == pytest.approx(share, abs=1e-3)
