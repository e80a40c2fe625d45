"""Real photos and weights beside the checkout, and photos as large as a phone takes them."""

import contextlib
import json
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import NoReturn

from PIL import Image

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
# name -> the archive, and its folders of training and of test images
PHOTOS = {"ants and bees": ("hymenoptera", "train", "val"), "caltech20": ("caltech20", "train", "test")}
NETWORKS = {"1.0": "mobilenetv2_100", "0.35": "mobilenetv2_035"}


def photos(name: str, into: Path) -> tuple[Path, Path]:
    """The folders of training and test images, a sub-folder for each class, unpacked once under `into`."""
    archive, train, test = PHOTOS[name]
    unpacked(archive, into)
    return into / archive / train, into / archive / test


def pacs(domain: str, into: Path) -> Path:
    """The folder of a domain of PACS (photo, art_painting or cartoon), a sub-folder for each class."""
    return unpacked("pacs", into) / domain


def unpacked(archive: str, into: Path) -> Path:
    """What the archive holds, unpacked once under `into`, whole or not at all."""
    if not (into / archive).is_dir():
        into.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(dir=into) as part,
            tarfile.open(there(DATA / archive / f"{archive}.tar")) as packed,
        ):
            packed.extractall(Path(part) / archive, filter="data")
            with contextlib.suppress(OSError):  # another process was first
                (Path(part) / archive).rename(into / archive)
    return into / archive


def weights(network: str) -> Path:
    """The safetensors file of MobileNetV2 1.0 or 0.35."""
    name = NETWORKS[network]
    return there(DATA / f"weights_{name}" / f"{name}.safetensors")


def smaller(weights: Path, side: int, into: Path) -> Path:
    """The same weights, described as those of a network that takes pictures of `side` pixels."""
    into.mkdir(parents=True, exist_ok=True)
    told = json.loads(weights.with_suffix(".json").read_text())
    told["pretrained_cfg"]["input_size"] = [3, side, side]
    (into / weights.with_suffix(".json").name).write_text(json.dumps(told))
    return Path(shutil.copy(weights, into / weights.name))


def large_photos(of: Path, count: int, into: Path) -> Path:
    """A folder of `count` JPEGs of 12 megapixels, as sharp as enlarged photos with a camera's grain are."""
    into.mkdir(parents=True, exist_ok=True)
    grain = Image.effect_noise((4000, 3000), 12).convert("RGB")
    for i, file in enumerate(sorted(of.rglob("*.jpg"))[:count]):
        with Image.open(file) as image:
            enlarged = image.convert("RGB").resize((4000, 3000), Image.Resampling.BICUBIC)
        Image.blend(enlarged, grain, 0.1).save(into / f"{i:03}.jpg", quality=85)
    return into


def there(file: Path) -> Path:
    """The file, or the end of a benchmark that needs it."""
    if not file.is_file():
        missing(f"{file} is not there")
    return file


def missing(what: str) -> NoReturn:
    """Say what a benchmark lacks, and end with code 2."""
    print(f"{what}: this benchmark needs it", file=sys.stderr)
    sys.exit(2)
