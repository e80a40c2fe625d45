import colorsys
import subprocess
import sys
from pathlib import Path

import pytest
import torch

pytest.importorskip("matplotlib")

import glyph_pictures
import pretrain_glyphs

SCRIPT = Path(pretrain_glyphs.__file__)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_no_glyph_is_empty_and_rendering_is_deterministic():
    fonts = {name: glyph_pictures.FONTS[name] for name in ("DejaVuSans", "cmmi10", "cmsy10")}
    pictures, names = glyph_pictures.render(fonts)
    assert len(pictures) == len(names) == sum(map(len, fonts.values()))
    assert (pictures.flatten(1).amax(1) > 127).all()
    assert torch.equal(glyph_pictures.render(fonts)[0], pictures)


def test_characters_of_one_shape_are_one_class():
    assert glyph_pictures.class_of("o") == glyph_pictures.class_of("O") == glyph_pictures.class_of("0")
    assert glyph_pictures.class_of("a") != glyph_pictures.class_of("A")


def test_characters_that_a_font_lacks_are_skipped():
    assert glyph_pictures.render({"cmr10": "aЖ"})[1] == ["a"]


def test_the_fonts_held_out_are_not_trained_on():
    assert not set(glyph_pictures.FONTS) & set(glyph_pictures.HELD_OUT_FONTS)


def test_variations_are_pictures_fixed_by_their_seed():
    glyphs, _ = glyph_pictures.render({"DejaVuSans": glyph_pictures.LETTERS})
    leaves = glyph_pictures.render_leaves(20, seeded(0))
    seen = [glyph_pictures.vary(glyphs, leaves, seeded(seed)) for seed in (0, 0, 1)]
    assert seen[0].shape == (len(glyphs), 3, 32, 32)
    assert seen[0].dtype == torch.uint8
    assert torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[0], seen[2])
    contrast = seen[0].flatten(1).amax(1).int() - seen[0].flatten(1).amin(1).int()
    assert (contrast > 20).float().mean() > 0.95


def test_some_glyphs_are_grey_and_most_are_printed():
    glyphs, _ = glyph_pictures.render({"DejaVuSans": glyph_pictures.LETTERS * 5})
    seen = glyph_pictures.vary(glyphs, glyph_pictures.render_leaves(50, seeded(0)), seeded(0))
    coloured = (seen.amax(1).int() - seen.amin(1).int()).flatten(1).amax(1) > 0
    assert abs(coloured.float().mean() - glyph_pictures.PRINTED) < 0.1


def test_ink_shows_one_surface_and_the_paper_another():
    leaves = torch.tensor([0, 200], dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 3, 32, 32)
    ink = torch.zeros(40, 1, 32, 32)
    ink[..., :16] = 1
    printed = glyph_pictures.prints(ink, leaves, seeded(0))
    inked, plain = (printed[..., half].flatten(1) for half in (slice(0, 16), slice(16, 32)))
    torch.testing.assert_close(inked, inked[:, :1].expand_as(inked))  # leaves of one colour have no structure
    torch.testing.assert_close(plain, plain[:, :1].expand_as(plain))
    assert {round(value, 3) for value in inked.flatten().tolist()} == {0, 0.784}
    assert abs((inked[:, 0] - plain[:, 0]).abs().gt(0.1).float().mean() - 0.5) < 0.2


def test_leaves_are_pictures_fixed_by_their_seed():
    one, same, other = (glyph_pictures.render_leaves(30, seeded(seed)) for seed in (0, 0, 1))
    assert one.shape == (30, 3, 32, 32)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert (one.flatten(1).float().std(1) > 3).all()


def test_hues_are_those_of_colorsys():
    told = torch.rand(50, 3, generator=seeded(0), dtype=torch.float64)
    expected = torch.tensor([colorsys.hsv_to_rgb(*row) for row in told.tolist()], dtype=torch.float64)
    torch.testing.assert_close(glyph_pictures.of_hues(*told.T), expected)


def test_each_class_is_drawn_as_often():
    y = torch.tensor([0] * 90 + [1] * 10)
    rows = torch.cat(list(pretrain_glyphs.batches(y, 50, seeded(0))))
    assert abs((y[rows] == 1).float().mean() - 0.5) < 0.03


def test_the_largest_difference_is_found():
    shipped = {"a": torch.zeros(2), "b": torch.ones(1)}
    assert (
        pretrain_glyphs.largest_difference({"a": torch.tensor([0.0, -0.5]), "b": torch.ones(1)}, shipped)
        == 0.5
    )
    assert pretrain_glyphs.largest_difference({"a": torch.zeros(2)}, shipped) == float("inf")


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(tmp_path):
    for name in ("first", "again"):
        out = tmp_path / f"{name}.safetensors"
        subprocess.run([sys.executable, SCRIPT, "--steps", "30", "--out", out], check=True)
    for suffix in ("safetensors", "json"):
        first, again = (tmp_path / f"{name}.{suffix}" for name in ("first", "again"))
        assert first.read_bytes() == again.read_bytes()
