import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar

from regraft.certainty import fitted_temperature


def drawn(n=400, k=3, seed=0):
    """Logits of a model that is right about its own sureness, and labels drawn as it says."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(n, k, generator=generator, dtype=torch.float64)
    return logits, torch.multinomial(logits.softmax(1), 1, generator=generator).squeeze(1)


@pytest.mark.parametrize("times", [0.25, 1.0, 6.0])
def test_it_undoes_what_logits_were_multiplied_by(times):
    logits, y = drawn(4000)
    assert fitted_temperature((times * logits)[None], y) == pytest.approx(times, rel=0.1)


def test_it_minimises_the_loss_of_the_docstring():
    logits, y = drawn(60)
    logits = torch.stack([logits, logits.flip(0)])
    n, k = 60, 3
    targets = (n * np.eye(k)[y.numpy()] + 1 / k) / (n + 1)

    def loss(t):
        scaled = logits.numpy() / t
        log_p = scaled - np.log(np.exp(scaled).sum(2, keepdims=True))
        return -(targets * log_p).sum()

    best = minimize_scalar(loss, bounds=(0.02, 50), method="bounded", options={"xatol": 1e-6}).x
    assert fitted_temperature(logits, y) == pytest.approx(best, rel=1e-3)


def test_few_that_are_all_right_make_nobody_certain():
    y = torch.arange(30) % 2
    logits = 3 * torch.nn.functional.one_hot(y, 2).double()
    p = (logits / fitted_temperature(logits[None], y)).softmax(1)
    assert 0.95 < float(p.max()) < 0.995  # of 31 samples one may be wrong


def test_a_class_that_a_model_never_saw_has_no_part():
    """Told by −∞; what the others say of each other is all that counts."""
    logits, y = drawn(400)
    two = y < 2
    strange = torch.cat([logits[two][:, :2], torch.full((int(two.sum()), 1), -torch.inf)], 1)
    found = fitted_temperature(strange[None], y[two])
    assert found == pytest.approx(fitted_temperature(logits[two][None, :, :2], y[two]), rel=1e-3)
