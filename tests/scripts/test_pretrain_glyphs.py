import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

pytest.importorskip("matplotlib")

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "pretrain_glyphs.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    found = importlib.util.spec_from_file_location("pretrain_glyphs", SCRIPT)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_no_glyph_is_empty_and_rendering_is_deterministic(script):
    fonts = {name: script.FONTS[name] for name in ("DejaVuSans", "cmmi10", "cmsy10")}
    pictures, names = script.render(fonts)
    assert len(pictures) == len(names) == sum(map(len, fonts.values()))
    assert (pictures.flatten(1).amax(1) > 127).all()
    assert torch.equal(script.render(fonts)[0], pictures)


def test_characters_of_one_shape_are_one_class(script):
    assert script.class_of("o") == script.class_of("O") == script.class_of("0")
    assert script.class_of("a") != script.class_of("A")


def test_characters_that_a_font_lacks_are_skipped(script):
    assert script.render({"cmr10": "aЖ"})[1] == ["a"]


def test_the_fonts_held_out_are_not_trained_on(script):
    assert not set(script.FONTS) & set(script.HELD_OUT_FONTS)


def test_variations_are_pictures_fixed_by_their_seed(script):
    pictures, _ = script.render({"DejaVuSans": script.LETTERS})
    seen = [script.vary(pictures, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert seen[0].shape == (len(pictures), 1, 32, 32)
    assert seen[0].dtype == torch.uint8
    assert torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[0], seen[2])
    contrast = seen[0].flatten(1).amax(1).int() - seen[0].flatten(1).amin(1).int()
    assert (contrast > 20).float().mean() > 0.95


def test_each_class_is_drawn_as_often(script):
    y = torch.tensor([0] * 90 + [1] * 10)
    rows = torch.cat(list(script.batches(y, 50, torch.Generator().manual_seed(0))))
    assert abs((y[rows] == 1).float().mean() - 0.5) < 0.03


def test_the_largest_difference_is_found(script):
    shipped = {"a": torch.zeros(2), "b": torch.ones(1)}
    assert script.largest_difference({"a": torch.tensor([0.0, -0.5]), "b": torch.ones(1)}, shipped) == 0.5
    assert script.largest_difference({"a": torch.zeros(2)}, shipped) == float("inf")


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(tmp_path):
    for name in ("first", "again"):
        out = tmp_path / f"{name}.safetensors"
        subprocess.run([sys.executable, SCRIPT, "--steps", "30", "--out", out], check=True)
    for suffix in ("safetensors", "json"):
        first, again = (tmp_path / f"{name}.{suffix}" for name in ("first", "again"))
        assert first.read_bytes() == again.read_bytes()
