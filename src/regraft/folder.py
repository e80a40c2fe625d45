"""A folder that Regraft writes: JSON that tells what is in it, and its numbers as safetensors."""

import hashlib
import json
import os
import shutil
import tempfile
import uuid
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as load_bytes
from safetensors.torch import save as save_bytes
from torch import Tensor

from . import __version__
from .errors import InputError, first_line
from .readers.decoding import Unreadable, read_file
from .replacing import replace_folder

FORMAT = (
    2  # of model folders that need the network they were fitted on; all others are as the first release's
)
DESCRIPTION, WEIGHTS, CARD = "model.json", "weights.safetensors", "README.md"
WRITTEN = {DESCRIPTION, WEIGHTS, CARD, "study.json", "report.html"}
MOST_DESCRIPTION = 64 << 20  # bytes; what is fitted to a hundred thousand columns takes ten million


def write(
    folder: str | Path, number: int, said: dict[str, Any], tensors: dict[str, Tensor], files: dict[str, str]
) -> Path:
    """Write a folder of that format, whole or not at all: what is said of the tensors, and other files."""
    check_target(folder)
    weights = save_bytes(tensors)
    description = {
        "format": number,
        "regraft": __version__,
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        **said,
    }
    description["sha256"] = _checksum(description)
    content = {
        DESCRIPTION: json.dumps(description, indent=1, ensure_ascii=False).encode(),
        WEIGHTS: weights,
        **{name: text.encode() for name, text in files.items()},
    }
    _write_folder(Path(folder), content)
    return Path(folder)


def read(folder: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What is said, and the tensors, once their checksums are seen to be right.

    Raises InputError for a missing folder, a newer format, a wrong checksum and a damaged file.
    """
    saved, content = _description(folder), _content(folder / WEIGHTS)
    if not isinstance(saved, dict) or not isinstance(saved.get("format"), int):
        raise InputError(f"{folder / DESCRIPTION} tells no format: save the model again")
    if saved["format"] > FORMAT:
        raise InputError(
            f"{folder} has format {saved['format']}, and this Regraft reads up to {FORMAT}: upgrade regraft"
        )
    try:
        if saved.pop("sha256", None) != _checksum(saved):
            raise InputError(
                f"{folder / DESCRIPTION} does not have the checksum that it tells: "
                "the file was damaged or changed; save the model again"
            )
        if hashlib.sha256(content).hexdigest() != saved["weights_sha256"]:
            raise InputError(
                f"{folder / WEIGHTS} does not have the checksum in {DESCRIPTION}: "
                "the file was damaged or changed; save the model again"
            )
        tensors = load_bytes(content)
        # one name twice is two models: one for whoever reads the first, one for whoever reads the last
        json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")], object_pairs_hook=_each_once)
    except (SafetensorError, LookupError, TypeError, ValueError, RuntimeError) as reason:
        if isinstance(reason, InputError):
            raise
        raise undescribed(folder, reason) from reason
    return saved, tensors


def undescribed(folder: Path, reason: Exception) -> InputError:
    """The error for a folder whose description does not fit what is in it."""
    return InputError(f"{folder} does not describe a model ({first_line(reason)}): save the model again")


def check_target(folder: str | Path) -> None:
    """Raise InputError, before any work is done, where no model folder can be written; leave nothing there.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as photos:
    ...     check_target(Path(photos) / "model")
    """
    try:
        target = Path(folder).resolve()
        if os.path.ismount(target):
            raise InputError(f"{folder} is where a disk is mounted: name a folder inside it")
        if target.exists() and not _is_empty(target):
            if not _is_model(target):
                raise InputError(f"{folder} exists and is no Regraft model: name another folder to save to")
            if foreign := sorted(entry.name for entry in target.iterdir() if entry.name not in WRITTEN):
                raise InputError(
                    f"{folder} holds what Regraft did not write ({', '.join(foreign[:3])}"
                    f"{', …' * (len(foreign) > 3)}), which a new model there would replace: "
                    "move it, or name another folder"
                )
        nearest = next(above for above in target.parents if above.exists())
        # only an attempt tells: permissions do not speak of read-only disks, nor to a superuser
        tempfile.TemporaryDirectory(dir=nearest).cleanup()
    except (OSError, RuntimeError) as reason:  # RuntimeError: links in a circle, before Python 3.13
        raise _unwritable(folder, reason) from reason


def described(folder: Path) -> dict[str, Any]:
    """What model.json says, or nothing where it is none; no weights are read."""
    try:
        said = _description(folder)
    except InputError:
        return {}
    return said if isinstance(said, dict) else {}


def _description(folder: Path) -> Any:
    """What model.json says."""
    file = folder / DESCRIPTION
    if not os.path.lexists(file):
        raise InputError(
            f"{folder} is no model folder ({DESCRIPTION} is missing): give the folder that fit wrote"
        )
    content = _content(file, MOST_DESCRIPTION)
    try:
        return json.loads(content, object_pairs_hook=_each_once)
    except (ValueError, RecursionError) as reason:
        raise InputError(f"{file} cannot be read ({first_line(reason)}): save the model again") from reason


def _content(file: Path, most: int | None = None) -> bytes:
    """The bytes of a regular file, which a pipe or a device in its place is not."""
    try:
        return read_file(file, most)
    except (Unreadable, MemoryError) as reason:
        raise InputError(f"{file} cannot be read ({first_line(reason)}): save the model again") from reason


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object in which every name comes once."""
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a name comes twice in one object")
    return made


def _checksum(description: dict[str, Any]) -> str:
    """SHA-256 of the description, however its JSON is laid out."""
    once_read = json.loads(json.dumps(description))  # in which keys are text and tuples are lists
    return hashlib.sha256(json.dumps(once_read, sort_keys=True).encode()).hexdigest()


def _is_model(folder: Path) -> bool:
    """Whether Regraft wrote the description in it, of whatever version, damaged or not."""
    try:
        content = read_file(folder / DESCRIPTION, MOST_DESCRIPTION)
    except (Unreadable, OSError):
        return False
    return b'"regraft"' in content and b'"format"' in content


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _unwritable(folder: str | Path, reason: Exception) -> InputError:
    told = getattr(reason, "strerror", None) or reason
    return InputError(f"{folder} cannot be written ({told}): name another folder")


def _write_folder(folder: Path, files: dict[str, bytes]) -> None:
    """All files under a temporary name beside the folder, flushed to disk, then renamed into place."""
    target = folder.resolve()
    partial, old = (target.parent / f".regraft-{uuid.uuid4().hex}.{kind}" for kind in ("partial", "old"))
    try:
        partial.mkdir(parents=True)
        for name, content in files.items():
            with (partial / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        replace_folder(target, partial, old)
    except OSError as reason:
        raise _unwritable(folder, reason) from reason
    finally:
        shutil.rmtree(partial, ignore_errors=True)
