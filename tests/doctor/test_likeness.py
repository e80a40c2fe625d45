"""Which pictures are near copies, and the correlation that tells it against an independent computation."""

from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps
from sklearn.datasets import load_digits
from sklearn.linear_model import LinearRegression

from regraft.backbones import pixels
from regraft.doctor.likeness import aligned_correlation, near_copies
from regraft.readers.decoding import thumbnail


def scene(seed):
    """A picture of soft patches of colour, another one for every seed."""
    rough = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(rough).resize((240, 180), Image.Resampling.BICUBIC)


def look(picture, quality=90):
    file = BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return thumbnail(file.getvalue())


CHANGES = {
    "re-encoded": lambda p: look(p, 30),
    "half the size": lambda p: look(p.resize((120, 90))),
    "mirrored": lambda p: look(ImageOps.mirror(p)),
    "mirrored, small and re-encoded": lambda p: look(ImageOps.mirror(p.resize((150, 113))), 50),
    "darker": lambda p: look(ImageEnhance.Brightness(p).enhance(0.7)),
    "slightly cropped": lambda p: look(p.crop((4, 0, 240, 177))),
}


@pytest.mark.parametrize("change", CHANGES)
def test_copies_are_found_and_nothing_else(change):
    scenes = [scene(i) for i in range(20)]
    looks = torch.stack([*map(look, scenes), *(CHANGES[change](p) for p in scenes[:5])])
    assert near_copies(looks).tolist() == [[i, 20 + i] for i in range(5)]


def test_handwritten_digits_are_alike_and_no_copies():
    digits = np.round(load_digits().images[:600] * (255 / 16)).astype(np.uint8)
    assert len(near_copies(pixels().preprocessing(torch.from_numpy(digits)))) <= 3


def test_pictures_of_one_colour_are_not_compared():
    plain = torch.full((3, 3, 32, 32), 7, dtype=torch.uint8) + torch.arange(3, dtype=torch.uint8).reshape(
        3, 1, 1, 1
    )
    assert len(near_copies(plain)) == 0


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_few_pictures(n):
    looks = (
        torch.stack([look(scene(i)) for i in range(n)]) if n else torch.zeros(0, 3, 32, 32, dtype=torch.uint8)
    )
    assert near_copies(looks).shape == (0, 2)


def test_blocks_change_nothing(monkeypatch):
    looks = torch.stack([look(scene(i % 9), 30 + i) for i in range(18)])
    whole = near_copies(looks)
    monkeypatch.setattr("regraft.doctor.likeness.BLOCK", 4)
    assert torch.equal(near_copies(looks), whole)
    assert len(whole) == 9


def test_the_aligned_correlation_is_a_multiple_correlation():
    a, b = torch.rand(2, 1, 2, 7, 7).double()
    grid = np.linspace(-1, 1, 7)
    dy, dx = np.gradient(a[0].numpy(), axis=(1, 2))
    ey, ex = np.gradient(b[0].numpy(), axis=(1, 2))

    def r(seen, gy, gx, told):
        columns = [seen, gx, gy, gx * grid, gy * grid[:, None]]
        x = np.stack([c.ravel() for c in columns], 1)
        return LinearRegression().fit(x, told.ravel()).score(x, told.ravel()) ** 0.5

    expected = min(r(a[0].numpy(), dy, dx, b[0].numpy()), r(b[0].numpy(), ey, ex, a[0].numpy()))
    assert float(aligned_correlation(a.float(), b.float())) == pytest.approx(expected, abs=1e-5)


def test_a_small_shift_is_seen_through():
    wide = torch.nn.functional.interpolate(torch.rand(1, 3, 5, 6), size=(12, 14), mode="bicubic")
    a, b = wide[..., :12], wide[..., 1:13]
    plain = float(torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1])
    assert float(aligned_correlation(a, b)) > plain + 0.5 * (1 - plain)
