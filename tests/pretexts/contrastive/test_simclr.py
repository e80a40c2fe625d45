"""SimCLR."""

import numpy as np
import torch

from regraft.pretexts.contrastive.simclr import SimCLR, nt_xent


def test_the_loss_is_that_of_the_paper():
    luck = torch.Generator().manual_seed(0)
    one, other = torch.randn(2, 5, 3, generator=luck)
    z = torch.cat([one, other]).double().numpy()
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    total = 0.0
    for i in range(10):
        others = [np.exp(z[i] @ z[k] / 0.3) for k in range(10) if k != i]
        total -= np.log(np.exp(z[i] @ z[(i + 5) % 10] / 0.3) / sum(others))
    np.testing.assert_allclose(nt_xent(one, other, 0.3).item(), total / 10, rtol=1e-5)


def test_what_views_share_tells_the_letters(gain):
    more, made = gain(SimCLR(epochs=0, least_steps=150, batch_size=64, flip=False, crop=0.6))
    assert more > 0.1
    assert made.history.terms["contrast"][-1] < made.history.terms["contrast"][0] - 1
