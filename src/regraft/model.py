"""What you keep: preprocessing, network, label names and provenance, whatever method made it."""

import contextlib
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load as load_bytes
from safetensors.torch import save as save_bytes
from torch import Tensor, nn

from . import __version__
from .backbone import Backbone
from .domain import Domain
from .engine import Engine
from .errors import InputError
from .features import Store, embed
from .heads import head_from_json
from .output import Output, output_from_json
from .preprocessing import preprocessing_from_json
from .progress import Progress

FORMAT = 1
DESCRIPTION, WEIGHTS = "model.json", "weights.safetensors"


class Model(nn.Module):
    """h∘φ with all that prediction needs: how samples are read, the names of the labels, where it came from.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import vectors
    >>> from regraft.methods import METHODS
    >>> data = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> model = METHODS["NearestMean"]().fit(Problem(target_labelled=data), vectors())
    >>> model.predict([[0.2], [0.9]])
    ['low', 'high']
    """

    def __init__(
        self,
        backbone: Backbone,
        head: nn.Module,
        output: Output,
        *,
        engine: Engine | None = None,
        provenance: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.output = output
        self.engine = engine or Engine()
        self.provenance: dict[str, Any] = provenance or {}

    def behind(self, prefix: Backbone) -> "Model":
        """The model with the frozen part in front that it was trained behind."""
        return Model(
            self.backbone.behind(prefix),
            self.head,
            self.output,
            engine=self.engine,
            provenance=self.provenance,
        )

    def logits(
        self, x: Any, store: Store | None = None, progress: Progress | None = None
    ) -> Float[Tensor, "n k"]:
        """Scores of every class for every sample, in float64."""
        seen = embed(self.backbone, _domain_of(x), store, self.engine, progress)
        assert isinstance(seen.x, Tensor)
        if len(seen) == 0:
            return torch.zeros(0, self.output.width, dtype=torch.float64)
        with torch.inference_mode():
            return torch.cat([self.head.eval()(z) for z in seen.x.split(4096)]).double()

    def probabilities(self, x: Any, progress: Progress | None = None) -> Float[Tensor, "n k"]:
        """P(class | sample), each row summing to 1, columns in the order of `output.names`."""
        return self.logits(x, progress=progress).softmax(1)

    def predict(self, x: Any) -> list[str]:
        """The name of the most probable class of each sample.

        x: files (paths), an array, or a domain; undecodable files raise `InputError`.
        """
        return list(self.output.decode(self.logits(x).argmax(1)))

    def save(self, folder: str | Path, extra: dict[str, str] | None = None) -> Path:
        """Write the model as a folder of JSON and safetensors; it appears whole or not at all.

        extra: more text files, by name, that travel with the model. An older model there is replaced.
        """
        folder = Path(folder)
        if folder.exists() and not (folder / DESCRIPTION).is_file() and any(_entries(folder)):
            raise InputError(f"{folder} exists and is no Regraft model: name another folder to save to")
        weights = save_bytes(_tensors(self))
        description = {
            "format": FORMAT,
            "regraft": __version__,
            "weights_sha256": hashlib.sha256(weights).hexdigest(),
            "output": self.output.to_json(),
            "preprocessing": self.backbone.preprocessing.to_json(),
            "backbone": {
                "name": self.backbone.name,
                "spec": self.backbone.spec,
                "stages": self.backbone.names,
                "licence": self.backbone.licence,
                "source": self.backbone.source,
            },
            "head": self.head.to_json(),  # type: ignore[operator]
            "engine": self.engine.to_json(),
            "provenance": self.provenance,
        }
        files = {
            DESCRIPTION: json.dumps(description, indent=1, ensure_ascii=False).encode(),
            WEIGHTS: weights,
        }
        files.update({name: text.encode() for name, text in (extra or {}).items()})
        _write_folder(folder, files)
        return folder

    @property
    def summary(self) -> str:
        """One line: what it tells apart, with what, made by which method."""
        made = self.provenance.get("method", "unknown method")
        return f"{self.output.width} classes, {self.backbone.name}, {made}"


def load(folder: str | Path, backbone: nn.Module | None = None) -> Model:
    """The model that `save` wrote. Nothing is unpickled and nothing in the folder can name code to import.

    backbone: the network itself, where the model was built on a module of the user's own.
    Raises InputError for a missing folder, a newer format, a wrong checksum or a damaged file.
    """
    from .backbones import rebuild

    folder = Path(folder)
    if not (folder / DESCRIPTION).is_file():
        raise InputError(
            f"{folder} is no model folder ({DESCRIPTION} is missing): give the folder that fit wrote"
        )
    try:
        saved = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        written = int(saved["format"])
    except (ValueError, KeyError, TypeError, RecursionError) as reason:
        raise InputError(
            f"{folder / DESCRIPTION} cannot be read ({reason}): save the model again"
        ) from reason
    if written > FORMAT:
        raise InputError(
            f"{folder} has format {written}, and this Regraft reads up to {FORMAT}: upgrade regraft"
        )
    try:
        content = (folder / WEIGHTS).read_bytes()
    except OSError as reason:
        raise InputError(
            f"{folder / WEIGHTS} cannot be read ({reason.strerror}): save the model again"
        ) from reason
    try:
        if hashlib.sha256(content).hexdigest() != saved["weights_sha256"]:
            raise InputError(
                f"{folder / WEIGHTS} does not have the checksum in {DESCRIPTION}: "
                "the file was damaged or changed; save the model again"
            )
        tensors = load_bytes(content)
        fitted = {
            k.removeprefix("preprocessing."): t for k, t in tensors.items() if k.startswith("preprocessing.")
        }
        network = rebuild(saved["backbone"]["spec"], backbone)
        network = network.prepared_by(preprocessing_from_json(saved["preprocessing"], fitted))
        network.name = saved["backbone"]["name"]
        network.pretrained = any(True for _ in network.parameters())  # whatever it was before, it has learned
        network.licence, network.source = saved["backbone"]["licence"], saved["backbone"]["source"]
        model = Model(
            network,
            head_from_json(saved["head"]),
            output_from_json(saved["output"]),
            engine=_usable(Engine.from_json(saved["engine"])),
            provenance=saved["provenance"],
        )
        model.load_state_dict({k: t for k, t in tensors.items() if k not in _prefixed(fitted)})
    except (SafetensorError, KeyError, TypeError, ValueError, AttributeError, RuntimeError) as reason:
        if isinstance(reason, InputError):
            raise
        told = str(reason).splitlines()[0] if str(reason) else type(reason).__name__
        raise InputError(f"{folder} does not describe a model ({told}): save the model again") from reason
    return model.eval()


def _tensors(model: Model) -> dict[str, Tensor]:
    fitted = _prefixed(model.backbone.preprocessing.tensors())
    # a copy of each: tensors that share memory cannot be saved side by side
    return {k: t.detach().cpu().contiguous().clone() for k, t in {**model.state_dict(), **fitted}.items()}


def _prefixed(fitted: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"preprocessing.{k}": t for k, t in fitted.items()}


def _usable(engine: Engine) -> Engine:
    if engine.device.startswith("cuda") and not torch.cuda.is_available():
        return Engine("cpu", engine.precision, engine.channels_last)
    return engine


def _domain_of(x: Any) -> Domain:
    """Samples in any form a user may hand in."""
    if isinstance(x, Domain):
        return x
    if isinstance(x, (str, Path)):
        x = [x]
    if isinstance(x, Sequence) and x and all(isinstance(name, (str, Path)) for name in x):
        from .readers import image_files

        return Domain(image_files(x))
    return Domain(x)


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else [folder]


def _write_folder(folder: Path, files: dict[str, bytes]) -> None:
    """All files under a temporary name beside the folder, flushed to disk, then renamed into place."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.parent / f".{folder.name}.{uuid.uuid4().hex}.partial"
    try:
        partial.mkdir()
        for name, content in files.items():
            with (partial / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        replaced = None
        if folder.exists():
            replaced = folder.parent / f".{folder.name}.{uuid.uuid4().hex}.old"
            folder.rename(replaced)
        partial.rename(folder)
        if replaced is not None:
            shutil.rmtree(replaced)
    except OSError as reason:
        with contextlib.suppress(OSError):
            shutil.rmtree(partial)
        raise InputError(f"{folder} cannot be written ({reason.strerror}): name another folder") from reason
