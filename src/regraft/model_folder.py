"""A model folder: JSON that tells what the model is, its numbers as safetensors, and a card to read."""

import hashlib
import json
import os
import shutil
import tempfile
import uuid
import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_bytes
from safetensors.torch import save as save_bytes
from torch import Tensor, nn

from . import __version__
from .backbone import Backbone
from .certainty import certainty_from_json
from .engine import Engine
from .errors import InputError, first_line
from .heads import head_from_json
from .model import Model
from .output import output_from_json
from .preprocessing import preprocessing_from_json
from .readers.decoding import Unreadable, read_file
from .replacing import replace_folder
from .thin import Borrowed, apart, sha256, thinned

FORMAT = 2  # of folders that need the network they were fitted on; all others are as the first release's
DESCRIPTION, WEIGHTS, CARD = "model.json", "weights.safetensors", "README.md"
WRITTEN = {DESCRIPTION, WEIGHTS, CARD, "study.json", "report.html"}
OF_CERTAINTY = "certainty."
MOST_DESCRIPTION = 64 << 20  # bytes; what is fitted to a hundred thousand columns takes ten million


def save(
    model: Model, folder: str | Path, extra: dict[str, str] | None = None, on: Backbone | None = None
) -> Path:
    """What `Model.save` does."""
    from .card import card

    check_target(folder)
    network, tensors, borrowed = model.backbone, _tensors(model), None
    if on is not None:
        borrowed, tensors = thinned(network, tensors, on, Path(folder))
    weights = save_bytes(tensors)
    description = {
        "format": FORMAT if borrowed else 1,
        "regraft": __version__,
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "output": model.output.to_json(),
        "preprocessing": network.preprocessing.to_json(),
        "reading": network.preprocessing.reading,
        "backbone": {
            "name": network.name,
            "spec": network.spec,
            "stages": network.names,
            "licence": network.licence,
            "source": network.source,
        },
        "head": model.head.to_json(),  # type: ignore[operator]
        "certainty": model.certainty and model.certainty.to_json(),
        "engine": model.engine.to_json(),
        "provenance": model.provenance,
        **({"borrowed": borrowed.to_json()} if borrowed else {}),
    }
    description["sha256"] = _checksum(description)
    files = {
        DESCRIPTION: json.dumps(description, indent=1, ensure_ascii=False).encode(),
        WEIGHTS: weights,
        CARD: card(model, borrowed and borrowed.name).encode(),
    }
    files.update({name: text.encode() for name, text in (extra or {}).items()})
    _write_folder(Path(folder), files)
    return Path(folder)


def weights_sha256(model: Model) -> str:
    """The SHA-256 of weights.safetensors, saved or not, of a folder that holds all of the model."""
    return sha256(_tensors(model))


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


def load(folder: str | Path, backbone: nn.Module | str | Path | None = None) -> Model:
    """The model that `save` wrote. Nothing is unpickled and nothing in the folder can name code to import.

    backbone: the network itself, where the model was built on a module of the user's own, or where the folder
        holds only what differs from it and the network is not where it was; or what `open_backbone` opens
        it from.
    Raises InputError for a missing folder, a newer format, a wrong checksum, a damaged file, or another
    network than the one that a thin folder was saved on.
    """
    from .backbones import open_backbone, rebuild

    folder = Path(folder)
    if isinstance(backbone, (str, Path)):
        backbone = open_backbone(backbone)
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
        fitted = {
            k.removeprefix("preprocessing."): t for k, t in tensors.items() if k.startswith("preprocessing.")
        }
        borrowed = Borrowed.from_json(saved["borrowed"]) if "borrowed" in saved else None
        if borrowed is not None:
            backbone = borrowed.network(folder, backbone)
        network = rebuild(saved["backbone"]["spec"], backbone)
        if borrowed is not None:
            tensors = borrowed.completed(tensors, network)
        network = network.prepared_by(preprocessing_from_json(saved["preprocessing"], fitted))
        network.name = saved["backbone"]["name"]
        network.pretrained = any(True for _ in network.parameters())  # whatever it was before, it has learned
        network.licence, network.source = saved["backbone"]["licence"], saved["backbone"]["source"]
        sureness = {k.removeprefix(OF_CERTAINTY): t for k, t in tensors.items() if k.startswith(OF_CERTAINTY)}
        model = Model(
            network,
            head_from_json(saved["head"]),
            output_from_json(saved["output"]),
            engine=_usable(Engine.from_json(saved["engine"])),
            certainty=saved.get("certainty") and certainty_from_json(saved["certainty"], sureness),
            provenance=saved["provenance"],
        )
        if _classes_of(saved["head"]) != model.output.width:
            raise ValueError(f"its head knows another number of classes than {model.output.width}")
        model.load_state_dict({k: t for k, t in tensors.items() if k not in _prefixed(fitted)})
        if borrowed is not None and weights_sha256(model) != borrowed.whole_sha256:
            raise ValueError(f"with {borrowed.name} it is not the model that was saved")
        _read_as_before(saved, model)
        if any(t.is_floating_point() and not t.isfinite().all() for t in _learned(model)):
            raise ValueError("what it learned holds NaN or infinity")
    except (SafetensorError, LookupError, TypeError, ValueError, AttributeError, RuntimeError) as reason:
        if isinstance(reason, InputError):
            raise
        raise InputError(
            f"{folder} does not describe a model ({first_line(reason)}): save the model again"
        ) from reason
    return model.eval()


def _read_as_before(saved: dict[str, Any], model: Model) -> None:
    """Warn where files become samples in another way than when the model was fitted."""
    now = model.backbone.preprocessing.reading
    before = saved.get("reading", now)  # the first folders did not tell
    changed = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    if changed:
        warnings.warn(
            f"this Regraft reads samples otherwise than the one that fitted the model: {', '.join(changed)}; "
            "fit it again where that concerns your files",
            stacklevel=3,
        )


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


def _tensors(model: Model) -> dict[str, Tensor]:
    fitted = _prefixed(model.backbone.preprocessing.tensors())
    return apart({**model.state_dict(), **fitted})


def _learned(model: Model) -> list[Tensor]:
    """The numbers behind the network: of the head, and of what it knows of its own sureness."""
    parts = [part for part in (model.head, model.certainty) if part is not None]
    return [tensor for part in parts for tensor in part.state_dict().values()]


def _prefixed(fitted: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"preprocessing.{k}": t for k, t in fitted.items()}


def _classes_of(head: dict[str, Any]) -> Any:
    """How many scores a saved head gives; one behind a map of the features gives those of what it holds."""
    return _classes_of(head["head"]) if "head" in head else head.get("classes")


def _usable(engine: Engine) -> Engine:
    torch.device(engine.device)  # a RuntimeError for one that nobody has
    if engine.device.startswith("cuda") and not torch.cuda.is_available():
        return Engine("cpu", engine.precision, engine.channels_last)
    return engine


def _checksum(description: dict[str, Any]) -> str:
    """SHA-256 of the description, however its JSON is laid out."""
    once_read = json.loads(json.dumps(description))  # in which keys are text and tuples are lists
    return hashlib.sha256(json.dumps(once_read, sort_keys=True).encode()).hexdigest()


def described(folder: Path) -> dict[str, Any]:
    """What model.json says, or nothing where it is none; no weights are read."""
    try:
        said = _description(folder)
    except InputError:
        return {}
    return said if isinstance(said, dict) else {}


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
