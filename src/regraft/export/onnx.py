"""A model as one ONNX file: network, preprocessing as far as a graph can hold it, and the rest in words."""

import copy
import importlib
import json
import uuid
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from .. import __version__
from ..engine import Engine
from ..errors import InputError
from ..heads import Trees
from ..model import Model, as_domain
from ..model_folder import weights_sha256
from ..output import Mask, Real
from .entrance import Entrance, entrance_of
from .parity import Parity, compared
from .trees import TreeTables


class Graph(nn.Module):
    """From what the entrance is fed to P(class | sample), or the numbers, n × k in float64."""

    def __init__(self, model: Model, entrance: Entrance) -> None:
        super().__init__()
        self.entrance = entrance
        self.model = model
        self.head = TreeTables(model.head) if isinstance(model.head, Trees) else model.head

    def forward(self, x: Tensor) -> Float[Tensor, "n k"]:
        scores = self.head(self.model.backbone(self.entrance(x)).flatten(1))
        return self.model.meant(scores.double())


def export_onnx(model: Model, path: str | Path, samples: Any) -> Parity:
    """Write `path`, an ONNX file that onnxruntime runs without Regraft, and beside it what it says of itself.

    samples: some of your own, in any form that `Model.predict` takes. The file is run on them and compared
        with the model in float32: all labels have to be the same and all probabilities within 1e-4.

    The graph takes any number of samples. What it takes of each, and how that is made, is in the metadata of
    the file and, as JSON, in `path`.json: `input`, `labels`, `preprocessing`, `reading`, `weights_sha256` (as
    in model.json), `licence`, `parity`.

    Raises InputError, and leaves no file behind, where the two differ (the samples are named), where the
    network is none that torch can export, and where onnx, onnxscript or onnxruntime is not installed.
    """
    if isinstance(model.output, Mask):
        raise InputError(f"{model.output.describe()} are not exported: use the model folder, regraft predict")
    path = _target(path)
    _installed()
    domain = as_domain(samples)
    if not len(domain):
        raise InputError("there are no samples to check the exported file on: give some of your own")
    if model.engine.precision != "float32":
        warnings.warn(
            f"this model computes in {model.engine.precision} and the exported file in float32: "
            "their probabilities differ a little",
            stacklevel=2,
        )
    model = copy.deepcopy(model).cpu().eval()
    model.engine = Engine()
    entrance = entrance_of(model.backbone.preprocessing)
    partial = path.with_name(f".{path.name}-{uuid.uuid4().hex}.partial")
    beside = path.with_name(path.name + ".json")
    noted = partial.with_suffix(".json")
    try:
        name = "values" if isinstance(model.output, Real) else "probabilities"
        one = entrance.array(domain.x[torch.arange(1)])
        program = _traced(Graph(model, entrance), torch.from_numpy(np.concatenate([one, one])), name)
        _write(program, partial)
        parity = compared(partial, model, entrance, domain)
        about = _about(model, entrance, one, parity)
        noted.write_text(json.dumps(about, indent=1, ensure_ascii=False), encoding="utf-8")
        program.model.metadata_props.update({k: json.dumps(v) for k, v in about.items()})
        _write(program, partial)
        noted.replace(beside)
        partial.replace(path)
    except OSError as reason:
        raise InputError(f"{path} cannot be written ({reason.strerror}): name another file") from reason
    finally:
        for unfinished in (partial, noted):
            with suppress(OSError):
                unfinished.unlink()
    return parity


def _target(path: str | Path) -> Path:
    path = Path(path)
    if path.suffix != ".onnx":
        raise InputError(f"{path} does not end in .onnx: name a file such as {path.name}.onnx")
    if path.is_dir():
        raise InputError(f"{path} is a folder: name a file")
    if not path.parent.is_dir():
        raise InputError(f"the folder {path.parent} does not exist: make it, or name another file")
    return path


def _installed() -> None:
    for name in ("onnx", "onnxscript", "onnxruntime"):
        try:
            importlib.import_module(name)
        except ImportError as reason:
            raise InputError(f"export to ONNX needs {name}: pip install 'regraft[export]'") from reason


def _traced(graph: Graph, example: Tensor, name: str) -> Any:
    """What torch's exporter makes of the graph, for any number of samples."""
    samples = torch.export.Dim("samples")
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # of what torch itself will change
            return torch.onnx.export(
                graph.eval(),
                (example,),
                dynamo=True,
                verbose=False,
                input_names=["input"],
                output_names=[name],
                dynamic_shapes=({0: samples},),
            )
    # a network of anybody's own may do what no graph can, each in its own way
    except Exception as reason:
        told = next((line for line in str(reason).splitlines() if line.strip()), type(reason).__name__)
        raise InputError(
            f"torch cannot export this network ({told[:200]}): "
            "heads and networks of Regraft and most of timm can be exported; keep the model folder"
        ) from reason


def _write(program: Any, file: Path) -> None:
    try:
        program.save(file, external_data=False)
    except ValueError as reason:  # protobuf's own limit
        raise InputError(f"the graph does not fit one ONNX file of 2 GiB ({reason})") from reason


def _about(model: Model, entrance: Entrance, example: np.ndarray, parity: Parity) -> dict[str, Any]:
    """What the file says of itself, by key."""
    preprocessing = model.backbone.preprocessing
    return {
        "regraft": __version__,
        "input": {
            "type": str(example.dtype),
            "shape": ["samples", *example.shape[1:]],
            "holds": entrance.holds,
        },
        "output": model.output.to_json(),
        "labels": list(model.output.names),
        "preprocessing": preprocessing.to_json(),
        "reading": preprocessing.reading,
        "weights_sha256": weights_sha256(model),
        "licence": model.backbone.licence_line,
        "parity": {"samples": parity.samples, "largest_difference": parity.largest},
    }
