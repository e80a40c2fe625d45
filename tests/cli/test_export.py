"""regraft export, and its file in the hands of somebody without Regraft."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torch import nn

from regraft.backbones import glyphs, module_backbone, pixels
from regraft.cli.places import samples_of
from regraft.errors import InputError
from regraft.export import export_onnx
from regraft.methods import METHODS
from regraft.model_folder import load
from regraft.preprocessing.images import ImagePreprocessing
from regraft.problem import Problem
from regraft.readers import read_images

PAGE = Path(__file__).resolve().parents[2] / "docs" / "export.md"


def test_fit_and_export_are_all_it_takes(photos, others, run, tmp_path):
    run("fit", photos, "--backbone", "pixels", "--methods", "NearestMean")
    told = run("export", "photos-model", "--to", "onnx").output
    assert "checked on 12 samples: the same labels" in told
    assert (tmp_path / "photos-model.onnx").is_file()
    assert "checked on 12" in run("export", "photos-model", "--to", "onnx", "--samples", others).output
    about = json.loads((tmp_path / "photos-model.onnx.json").read_text(encoding="utf-8"))
    assert about["labels"] == ["day", "night"]
    assert str(tmp_path) not in (tmp_path / "photos-model" / "model.json").read_text(encoding="utf-8")
    # moved together they still know each other; moved apart they do not
    shutil.move(tmp_path / "photos-model", tmp_path / "elsewhere" / "m")
    assert samples_of(tmp_path / "elsewhere" / "m", load(tmp_path / "elsewhere" / "m").provenance) is None
    with pytest.raises(InputError, match="--samples PATH"):
        run("export", "elsewhere/m", "--to", "onnx")
    shutil.move(photos, tmp_path / "elsewhere" / "photos")
    found = samples_of(tmp_path / "elsewhere" / "m", load(tmp_path / "elsewhere" / "m").provenance)
    assert found == tmp_path / "elsewhere" / "photos"


def test_bad_samples_leave_no_file(photos, run, tmp_path):
    model = METHODS["NearestMean"]().fit(Problem(target_labelled=read_images(photos)), pixels())
    model.save(tmp_path / "m")
    before = sorted(tmp_path.iterdir())
    for samples in ("nowhere", photos / "day" / "0.png"):
        with pytest.raises(InputError):
            run("export", "m", "--to", "onnx", "--samples", samples)
    assert sorted(tmp_path.iterdir()) == before


@pytest.fixture
def odd(photos):
    """The photos, among them one of every way in which a picture is more than its pixels."""
    rng = np.random.default_rng(3)
    noise = Image.fromarray(rng.integers(0, 256, (90, 120, 3), dtype=np.uint8)).resize((1200, 900))
    turned = Image.Exif()
    turned[274] = 6
    noise.save(photos / "day" / "turned.jpg", exif=turned, quality=90)
    clear = noise.resize((50, 40)).convert("RGBA")
    clear.putalpha(Image.fromarray(rng.integers(0, 256, (40, 50), dtype=np.uint8)))
    clear.save(photos / "day" / "clear.png")
    noise.convert("L").resize((31, 77)).save(photos / "night" / "grey.png")
    noise.resize((64, 30)).convert("P").save(photos / "night" / "palette.gif", transparency=7)
    return photos


def own(size, colour, resize, interpolation):
    """A small network of the user's own behind a rule for pictures."""
    channels = 1 if colour == "grey" else 3
    rule = ImagePreprocessing(size, resize, 0.8, interpolation, (0.4,) * channels, (0.3,) * channels, colour)
    return module_backbone(nn.Sequential(nn.Conv2d(channels, 6, 3, 2), nn.ReLU()), preprocessing=rule)


@pytest.mark.parametrize(
    "backbone",
    [
        glyphs,
        lambda: own((24, 24), "rgb", "crop", "bicubic"),
        lambda: own((20, 28), "grey", "crop", "bilinear"),
    ],
)
def test_the_script_of_the_docs_does_what_predict_does(odd, tmp_path, backbone):
    (script,) = re.findall(
        r"<!-- runs in the tests -->\n```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL
    )
    (tmp_path / "script.py").write_text(script, encoding="utf-8")
    photos = read_images(odd)
    model = METHODS["LinearProbe"]().fit(Problem(target_labelled=photos), backbone())
    export_onnx(model, tmp_path / "m.onnx", photos)
    alone = "import runpy, sys; sys.modules.update(dict.fromkeys(['regraft', 'torch', 'onnx']))\n"
    done = subprocess.run(
        [
            *(sys.executable, "-c", f"{alone}sys.argv = sys.argv[1:]; runpy.run_path('script.py')"),
            *("script.py", "m.onnx", *map(str, photos.x.paths)),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = [line.split("\t") for line in done.stdout.splitlines()]
    chances = model.probabilities(photos)
    assert [(file, label) for file, label, _ in told] == list(
        zip(map(str, photos.x.paths), model.predict(photos), strict=True)
    )
    assert [float(p) for *_, p in told] == pytest.approx(chances.amax(1).tolist(), abs=1e-4)
