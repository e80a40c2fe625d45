"""VICReg."""

import numpy as np
import torch

from regraft.pretexts.contrastive.vicreg import VICReg
from regraft.terms.spread import entangled, too_steady


def test_the_terms_are_those_of_the_paper():
    z = torch.randn(9, 4, generator=torch.Generator().manual_seed(0))
    covariance = np.cov(z.double().numpy(), rowvar=False)
    spread = np.maximum(0, 1 - np.sqrt(np.diag(covariance) + 1e-4)).mean()
    np.testing.assert_allclose(too_steady(z).item(), spread, rtol=1e-5)
    off = covariance - np.diag(np.diag(covariance))
    np.testing.assert_allclose(entangled(z).item(), (off**2).sum() / 4, rtol=1e-4)


def test_what_views_share_tells_the_letters(gain):
    more, _ = gain(VICReg(epochs=0, least_steps=150, batch_size=64, flip=False, crop=0.6))
    assert more > 0.1


def test_without_the_spread_it_collapses(gain):
    _, made = gain(VICReg(epochs=0, least_steps=100, batch_size=64, vary=0.0, differ=0.0))
    assert made.history.terms["agree"][-1] < 0.01 * made.history.terms["agree"][0]
