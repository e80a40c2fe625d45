"""A local file of weights, with the JSON beside it that says which network they belong to."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ..errors import InputError

CONVERT = (
    "convert it once, where you trust it: "
    "safetensors.torch.save_file(torch.load(file, weights_only=True), 'weights.safetensors')"
)
LABELLING = ("label_names", "label_descriptions")


@dataclass(frozen=True, eq=False)
class WeightsFile:
    """What a file of weights and the JSON beside it say.

    architecture, model_args: what `timm.create_model` builds the network from.
    preprocessing: timm's `pretrained_cfg`: input_size, mean, std, interpolation, crop_pct, label_names.
    """

    path: Path
    architecture: str
    model_args: dict[str, Any]
    preprocessing: dict[str, Any]
    licence: str
    source: str
    state: dict[str, Tensor] = field(repr=False)


def weights_file(path: Path, architecture: str | None = None) -> WeightsFile:
    """The weights in a safetensors file, and what the JSON beside it says of them.

    The JSON is named like the file (`birds.safetensors`, `birds.json`), or `config.json` as timm's hub has
    it, with these keys, of which only the first is needed:

        {"architecture": "mobilenetv2_100",
         "model_args": {"pad_type": "same"},
         "pretrained_cfg": {"input_size": [3, 224, 224], "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5],
                            "interpolation": "bilinear", "crop_pct": 0.875,
                            "license": "apache-2.0", "origin_url": "where they come from"},
         "label_names": ["owl", "crow"]}

    label_names are those of the classifier's outputs, in their order; label_descriptions, an object from
    these names to plainer ones, may stand beside them, as timm writes it.

    architecture: what the network is said to be; without a JSON it is all that is known.
    Raises InputError for a file that is missing, damaged or of another format, and for a JSON that is
    missing, damaged or speaks of another network.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise InputError(
            f"{path} is not a safetensors file; other formats can execute code when they are read: {CONVERT}"
        )
    if not path.is_file():
        raise InputError(f"{path} does not exist: give a safetensors file with the JSON beside it")
    said = _beside(path, architecture)
    cfg = said.get("pretrained_cfg", {}) | {k: said[k] for k in LABELLING if k in said}
    return WeightsFile(
        path,
        said["architecture"],
        {k: v for k, v in said.get("model_args", {}).items() if k != "num_classes"},
        cfg,
        licence=str(cfg.get("license") or ""),
        source=str(cfg.get("origin_url") or cfg.get("hf_hub_id") or f"the file {path.name}"),
        state=_tensors(path),
    )


def class_names(cfg: dict[str, Any], outputs: int) -> tuple[str, ...]:
    """What `label_names` and `label_descriptions` call the outputs: the label comes last among the synonyms.

    Nothing where no names are given. Raises InputError where they are not those of so many outputs.

    >>> class_names({"label_names": ["n1", "n2"], "label_descriptions": {"n1": "ant, emmet"}}, outputs=2)
    ('ant, emmet, n1', 'n2')
    """
    labels, descriptions = cfg.get("label_names") or (), cfg.get("label_descriptions") or {}
    if isinstance(labels, dict):  # timm's form where some outputs have no class
        labels = [labels.get(str(i), "") for i in range(outputs)]
    if labels and (
        not isinstance(labels, list | tuple) or len(labels) != outputs or not isinstance(descriptions, dict)
    ):
        raise InputError(
            f"label_names has to list the names of the classifier's {outputs} outputs, and "
            "label_descriptions to be an object from these names to plainer ones: correct the JSON"
        )
    return tuple(
        f"{descriptions[name]}, {name}" if name in descriptions else name for name in map(str, labels)
    )


def load_strictly(net: nn.Module, weights: WeightsFile) -> None:
    """Put every tensor of the file into the network. Raises InputError that lists what does not match."""
    have, want = weights.state, net.state_dict()
    missing = [k for k in want if k not in have and not k.endswith("num_batches_tracked")]
    unexpected = [k for k in have if k not in want]
    changed = [k for k in want if k in have and have[k].shape != want[k].shape]
    if missing or unexpected or changed:
        matched = sum(k in have for k in want) - len(changed)
        shapes = [f"{k} {tuple(have[k].shape)}, not {tuple(want[k].shape)}" for k in changed]
        differences = {"missing": missing, "unexpected": unexpected, "of another shape": shapes}
        raise InputError(
            f"{weights.path} does not match {weights.architecture}: {matched} of {len(want)} tensors match"
            f"{''.join(_listed(*found) for found in differences.items())}; "
            "give the architecture and model_args that the weights were made with"
        )
    net.load_state_dict(have)


def _beside(path: Path, architecture: str | None) -> dict[str, Any]:
    """What the JSON beside the file says, checked for its form."""
    described = [p for p in (path.with_suffix(".json"), path.with_name("config.json")) if p.is_file()]
    if not described:
        if architecture is None:
            raise InputError(
                f"{path.with_suffix('.json')}, which says what network {path.name} belongs to, is missing: "
                'write it ({"architecture": …, "model_args": {…}, "pretrained_cfg": {…}}) or name the network'
            )
        return {"architecture": architecture}
    try:
        said = json.loads(described[0].read_text(encoding="utf-8"))
        well_formed = isinstance(said["architecture"], str) and all(
            isinstance(said.get(key, {}), dict) for key in ("model_args", "pretrained_cfg")
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as reason:
        raise InputError(
            f"{described[0]} does not describe weights ({type(reason).__name__}: {reason}): "
            "it has to be JSON with the key architecture"
        ) from reason
    if not well_formed:
        raise InputError(
            f"{described[0]} needs architecture (text), model_args and pretrained_cfg (objects): correct it"
        )
    if architecture is not None and architecture.split(".")[0] != said["architecture"].split(".")[0]:
        raise InputError(
            f"{described[0]} says that the weights are of {said['architecture']}, not {architecture}: "
            "leave the name out or give other weights"
        )
    return dict(said)


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        return dict(load_file(path))
    except (SafetensorError, OSError) as reason:
        raise InputError(f"{path} cannot be read as safetensors ({reason}): fetch the file again") from reason


def _listed(what: str, names: list[str]) -> str:
    """At most three names, and how many there are."""
    if not names:
        return ""
    more = ", …" if len(names) > 3 else ""
    return f"; {what} {len(names)} ({', '.join(names[:3])}{more})"
