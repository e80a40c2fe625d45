"""The evidence lower bound."""

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm

from regraft.backbones import small_mlp
from regraft.domain import Domain
from regraft.pretexts.reconstruction.variational_autoencoder import VariationalAutoencoder
from regraft.problem import Problem
from regraft.terms.gaussian import kl_to_standard
from regraft.training import Step


def test_the_closed_form_is_the_integral():
    means, spreads = [0.3, -1.2], [0.5, 1.7]
    total = 0.0
    for m, s in zip(means, spreads, strict=True):
        density = norm(m, s)
        total += quad(lambda u, d=density: d.pdf(u) * (d.logpdf(u) - norm.logpdf(u)), -15, 15)[0]
    told = kl_to_standard(torch.tensor([means]), 2 * torch.tensor([spreads]).log())
    assert told.item() == pytest.approx(total, rel=1e-5)


def test_the_terms_are_minus_the_bound_a_number():
    x = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    task = VariationalAutoencoder(latent=3, spread=0.7)
    network = task.start(small_mlp(4, (5,)), x).eval()
    torch.manual_seed(3)
    terms = task.objective(network, Step(Problem(unlabelled=Domain(x)), 0.0))
    torch.manual_seed(3)
    with torch.no_grad():
        told = network.beside["posterior"](network.features(x)).double()
        mean, spread = told[:, :3], (told[:, 3:] / 2).exp()
        u = mean + spread * torch.randn(6, 3)
        made = network.head(network.beside["entrance"](u.float())).double().numpy()
    aim = ((x - x.mean(0)) / x.std(0, correction=0)).double().numpy()
    u, mean, spread = u.numpy(), mean.numpy(), spread.numpy()
    likelihood = norm(made, 0.7).logpdf(aim).sum(1)
    constant = 4 * np.log(0.7 * np.sqrt(2 * np.pi))
    assert terms["reconstruction"].item() == pytest.approx(-(likelihood + constant).mean() / 4, rel=1e-4)
    luck = np.random.default_rng(0)
    drawn = mean + spread * luck.standard_normal((20000, 6, 3))
    sampled = (norm(mean, spread).logpdf(drawn) - norm.logpdf(drawn)).sum(2).mean()
    assert terms["kl"].item() == pytest.approx(sampled / 4, rel=0.05)


def test_columns_that_tell_of_one_another_are_learned(gain, factors):
    pool, labelled = factors
    task = VariationalAutoencoder(epochs=0, least_steps=150, batch_size=64, rate=5e-3, latent=8)
    more, _ = gain(task, small_mlp(pool.x.shape[1], (32, 8)), labelled, pool)
    assert more > 0.05


def test_what_is_told_is_heard_from_the_first_step():
    """The noise starts far smaller than what it is added to."""
    backbone = small_mlp(5)
    network = VariationalAutoencoder(latent=4).start(backbone, torch.randn(40, 5))
    _, log_variance = network.beside["posterior"](backbone.features(torch.randn(40, 5))).chunk(2, 1)
    assert log_variance.mean() < -3
