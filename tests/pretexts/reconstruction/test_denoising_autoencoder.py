"""From noise back."""

import numpy as np
import torch

from regraft.backbones import small_mlp
from regraft.pretexts.reconstruction.denoising_autoencoder import DenoisingAutoencoder, noisy


def test_the_noise_is_as_large_as_it_says():
    torch.manual_seed(0)
    x = torch.full((4000, 2), 5.0)
    mean, spread = torch.tensor([-50.0, -70.0]), torch.tensor([1.0, 3.0])
    out = noisy(x, mean, spread, 0.3, 0.25)
    gone = out == mean
    np.testing.assert_allclose(gone.float().mean(0).numpy(), 0.25, atol=0.03)
    kept = [out[~gone[:, j], j].double().numpy() - 5 for j in range(2)]
    np.testing.assert_allclose([column.std() for column in kept], [0.3, 0.9], rtol=0.05)


def test_pixels_are_hidden_in_all_channels_and_stay_bytes():
    torch.manual_seed(0)
    x = torch.full((50, 3, 8, 8), 200, dtype=torch.uint8)
    out = noisy(x, torch.full((3, 1, 1), 7.0), torch.ones(3, 1, 1), 0.0, 0.5)
    gone = out == 7
    assert out.dtype == torch.uint8
    assert (gone | (out == 200)).all()
    assert (gone.all(1) == gone.any(1)).all()
    assert 0.45 < gone.float().mean() < 0.55


def test_columns_that_tell_of_one_another_are_learned(gain, factors):
    pool, labelled = factors
    task = DenoisingAutoencoder(epochs=0, least_steps=150, batch_size=64, rate=5e-3)
    more, _ = gain(task, small_mlp(pool.x.shape[1], (32, 8)), labelled, pool)
    assert more > 0.05


def test_what_is_needed_to_mend_letters_tells_them(gain):
    more, _ = gain(DenoisingAutoencoder(epochs=0, least_steps=120, batch_size=64))
    assert more > 0.05
