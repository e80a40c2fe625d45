"""Colours from grey."""

import numpy as np
import pytest
import torch
from PIL import Image

from regraft.backbones import small_convnet
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.pretexts.prediction.colorization import Colorization, Palette, chroma, in_grey, rebalanced

HUES = torch.tensor([[1.0, 0.3, 0.3], [0.3, 1.0, 0.3], [0.3, 0.3, 1.0], [0.9, 0.9, 0.1]])


def pictures(n=6, side=8):
    return torch.randint(
        256, (n, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )


def test_chroma_and_grey_are_those_of_jpeg():
    x = pictures(1)
    pillow = Image.fromarray(x[0].permute(1, 2, 0).numpy())
    ycbcr = np.asarray(pillow.convert("YCbCr")).astype(float)
    assert np.abs(chroma(x)[0].permute(1, 2, 0).numpy() + 128 - ycbcr[:, :, 1:]).max() <= 1.1
    assert np.abs(in_grey(x)[0, 0].numpy() - np.asarray(pillow.convert("L")).astype(float)).max() <= 1


def test_rare_colours_weigh_more():
    p = np.array([0.7, 0.2, 0.1, 0.0])
    w = 1 / (0.5 * p + 0.5 / 4)
    w /= (p * w).sum()
    np.testing.assert_allclose(rebalanced(torch.from_numpy(p), 0.5).numpy(), w)


def test_colours_at_places_are_bins_of_the_mean():
    x = pictures()
    palette = Palette(5, x, places=2, bins=3, even=0.5)
    seen = chroma(x).double().numpy().reshape(6, 2, 2, 4, 2, 4).mean((3, 5))  # n 2 down across
    low, high = seen.min((0, 2, 3)), seen.max((0, 2, 3))
    steps = np.minimum((seen - low[:, None, None]) / (high - low)[:, None, None] * 3, 2.999).astype(int)
    expected = (3 * steps[:, 0] + steps[:, 1]).reshape(6, 4)
    assert (palette.quantised(palette.at_places(x)).numpy() == expected).mean() > 0.95  # but for rounding
    shares = np.bincount(expected.ravel(), minlength=9) / 24
    assert abs((shares * palette.weight.numpy()).sum() - 1) < 0.1


def test_grey_pictures_are_refused():
    grey = Domain(torch.randint(256, (9, 8, 8), dtype=torch.uint8))
    for network in (small_convnet((8, 8), width=2), small_convnet((8, 8), "grey", width=2)):
        with pytest.raises(InputError, match="are all grey"):
            Colorization().pretrain(grey, network)


def test_to_know_the_colours_of_letters_is_to_know_them(gain, pool):
    hue = HUES[torch.arange(len(pool)) % 4]  # each letter has a colour of its own
    coloured = Domain((pool.x[:, :, :, None] * hue[:, None, None]).to(torch.uint8))
    task = Colorization(epochs=0, least_steps=100, batch_size=64, places=2)
    more, _ = gain(task, small_convnet((16, 16), width=4), pool=coloured)  # judged on grey ones
    assert more > 0.1
