"""Masks from the command line: fitted, evaluated, predicted, and read again."""

import csv

import numpy as np
import pytest
from PIL import Image

from regraft.backbones import glyphs, pyramid
from regraft.errors import InputError
from regraft.methods import METHODS
from regraft.model_folder import load
from regraft.problem import Problem
from regraft.readers import read_masks
from regraft.readers.label_maps import label_map


@pytest.fixture
def painted(tmp_path):
    """Twelve photos with an owl that is brighter than the sky, and their masks."""
    luck = np.random.default_rng(0)
    images, masks = tmp_path / "photos", tmp_path / "masks"
    images.mkdir()
    masks.mkdir()
    for i in range(12):
        mask = np.zeros((24, 32), np.uint8)
        top, left = luck.integers(0, 12, 2)
        mask[top : top + 12, left : left + 14] = 1
        photo = luck.normal(60 + 140 * mask[..., None], 20, (24, 32, 3)).clip(0, 255).astype(np.uint8)
        Image.fromarray(photo).save(images / f"{i:02}.png")
        Image.fromarray(mask).save(masks / f"{i:02}.png")
    (masks / "classes.txt").write_text("sky\nowl\n")
    return images, masks


def test_from_folders_to_masks_and_back(run, painted, tmp_path):
    images, masks = painted
    told = run("fit", images, "--masks", masks, "--backbone", "glyphs", "--out", "m", "--report").output
    assert "mIoU" in told
    assert "PixelProbe (raw pixels)" in told
    assert "Verdict: " in told
    assert load(tmp_path / "m").output.names == ("sky", "owl")
    assert "mIoU" in (tmp_path / "m" / "README.md").read_text()
    assert "How far each class overlaps" in (tmp_path / "m" / "report.html").read_text()

    scores = run("evaluate", "m", images, "--masks", masks).output
    assert "mIoU" in scores
    assert "owl    0." in scores

    assert "12 masks" in run("predict", "m", images, "--out", "said").output
    found = label_map((tmp_path / "said" / "03.png").read_bytes())
    asked = label_map((masks / "03.png").read_bytes())
    assert found.shape == asked.shape
    assert (found == asked).float().mean() > 0.8
    with (tmp_path / "said" / "shares.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["file", "sky", "owl"]
    assert float(rows[3]["owl"]) == pytest.approx(float((found == 1).float().mean()), abs=1e-6)
    assert (
        "masks of 2 classes"
        in run("plan", images, "--masks", tmp_path / "said", "--backbone", "glyphs").output
    )


def test_what_is_asked_wrongly_is_said_in_one_line(run, painted, tmp_path):
    images, masks = painted
    with pytest.raises(InputError, match="give one of them"):
        run("fit", images, "--masks", masks, "--labels", "l.csv")
    with pytest.raises(InputError, match="no mask for any image"):
        run("fit", images, "--masks", images)
    with pytest.raises(InputError, match="balanced"):
        run("fit", images, "--masks", masks, "--metric", "balanced-accuracy")
    with pytest.raises(InputError, match="LinearProbe learns classes"):
        run("fit", images, "--masks", masks, "--backbone", "glyphs", "--methods", "LinearProbe")
    assert not (tmp_path / "photos-model").exists()


def test_predictions_are_files_in_a_new_folder(run, painted, tmp_path):
    images, masks = painted
    seen = Problem(target_labelled=read_masks(images, masks))
    METHODS["PixelProbe"](pixels=200).fit(seen, pyramid(glyphs())).save(tmp_path / "m")
    with pytest.raises(InputError, match="--out FOLDER"):
        run("predict", "m", images)
    (tmp_path / "said").mkdir()
    with pytest.raises(InputError, match="exists"):
        run("predict", "m", images, "--out", "said")
    with pytest.raises(InputError, match="masks of 2 classes are not exported"):
        run("export", "m", "--to", "onnx", "--samples", images, "--out", "x.onnx")
    with pytest.raises(InputError, match="--masks FOLDER"):
        run("evaluate", "m", images)
    (masks / "classes.txt").unlink()  # then they are called as the model calls them
    assert "mIoU" in run("evaluate", "m", images, "--masks", masks).output
