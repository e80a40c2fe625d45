"""A model folder: what the model is, its numbers, and a card to read."""

import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from .backbone import Backbone
from .certainty import certainty_from_json
from .engine import Engine
from .errors import InputError
from .folder import CARD, FORMAT, read, undescribed, write
from .heads import head_from_json
from .model import Model
from .output import output_from_json
from .preprocessing import preprocessing_from_json
from .preprocessing.tokens import Tokens
from .thin import Borrowed, apart, sha256, thinned

OF_CERTAINTY, OF_PREPROCESSING, OF_BACKBONE, OF_HEAD = "certainty.", "preprocessing.", "backbone.", "head."


def save(
    model: Model, folder: str | Path, extra: dict[str, str] | None = None, on: Backbone | None = None
) -> Path:
    """What `Model.save` does."""
    from .card import card

    network, tensors, borrowed = model.backbone, _tensors(model), None
    if on is not None:
        borrowed, tensors = thinned(network, tensors, on, Path(folder))
    said = {
        "output": model.output.to_json(),
        **described_network(network),
        "head": model.head.to_json(),  # type: ignore[operator]
        "certainty": model.certainty and model.certainty.to_json(),
        "engine": model.engine.to_json(),
        "provenance": model.provenance,
        **({"borrowed": borrowed.to_json()} if borrowed else {}),
    }
    files = {CARD: card(model, borrowed and borrowed.name), **(extra or {})}
    return write(folder, FORMAT if borrowed else 1, said, tensors, files)


def described_network(network: Backbone) -> dict[str, Any]:
    """What a folder says of a network and of what prepares its samples."""
    return {
        "preprocessing": network.preprocessing.to_json(),
        "reading": network.preprocessing.reading,
        "backbone": {
            "name": network.name,
            "spec": network.spec,
            "stages": network.names,
            "licence": network.licence,
            "source": network.source,
        },
    }


def weights_sha256(model: Model) -> str:
    """The SHA-256 of weights.safetensors, saved or not, of a folder that holds all of the model."""
    return sha256(_tensors(model))


def load(folder: str | Path, backbone: nn.Module | str | Path | None = None) -> Model:
    """The model that `save` wrote. Nothing is unpickled and nothing in the folder can name code to import.

    backbone: the network itself, where the model was built on a module of the user's own, or where the folder
        holds only what differs from it and the network is not where it was; or what `open_backbone` opens
        it from.
    Raises InputError for a missing folder, a newer format, a wrong checksum, a damaged file, or another
    network than the one that a thin folder was saved on.
    """
    from .backbones import open_backbone

    folder = Path(folder)
    if isinstance(backbone, (str, Path)):
        backbone = open_backbone(backbone)
    saved, tensors = read(folder)
    if "backbone" in saved and "head" not in saved:
        raise InputError(f"{folder} holds a network without a head: give it as the backbone of a fit")
    try:
        borrowed = Borrowed.from_json(saved["borrowed"]) if "borrowed" in saved else None
        if borrowed is not None:
            backbone = borrowed.network(folder, backbone)
        network = network_of(saved, tensors, backbone)
        if borrowed is not None:
            tensors = borrowed.completed(tensors, network)
        sureness = {k.removeprefix(OF_CERTAINTY): t for k, t in tensors.items() if k.startswith(OF_CERTAINTY)}
        model = Model(
            network,
            _head_of(saved["head"], tensors),
            output_from_json(saved["output"]),
            engine=_usable(Engine.from_json(saved["engine"])),
            certainty=saved.get("certainty") and certainty_from_json(saved["certainty"], sureness),
            provenance=saved["provenance"],
        )
        if _classes_of(saved["head"]) != model.output.width:
            raise ValueError(f"its head knows another number of classes than {model.output.width}")
        model.load_state_dict({k: t for k, t in tensors.items() if not k.startswith(OF_PREPROCESSING)})
        if borrowed is not None and weights_sha256(model) != borrowed.whole_sha256:
            raise ValueError(f"with {borrowed.name} it is not the model that was saved")
        read_as_before(saved, network)
        if any(t.is_floating_point() and not t.isfinite().all() for t in _learned(model)):
            raise ValueError("what it learned holds NaN or infinity")
    except (SafetensorError, LookupError, TypeError, ValueError, AttributeError, RuntimeError) as reason:
        if isinstance(reason, InputError):
            raise
        raise undescribed(folder, reason) from reason
    return model.eval()


def network_of(saved: dict[str, Any], tensors: dict[str, Tensor], module: nn.Module | None) -> Backbone:
    """The network that `described_network` described, with what was fitted to prepare its samples."""
    from .backbones import rebuild

    fitted = {
        k.removeprefix(OF_PREPROCESSING): t for k, t in tensors.items() if k.startswith(OF_PREPROCESSING)
    }
    network = rebuild(saved["backbone"]["spec"], module)
    rule, built_for = preprocessing_from_json(saved["preprocessing"], fitted), network.preprocessing
    if isinstance(built_for, Tokens) and not built_for.numbered_alike(rule):
        raise ValueError("its texts become other numbers than its network has rows for")
    network = network.prepared_by(rule)
    network.name = saved["backbone"]["name"]
    network.pretrained = any(True for _ in network.parameters())  # whatever it was before, it has learned
    network.licence, network.source = saved["backbone"]["licence"], saved["backbone"]["source"]
    return network


def read_as_before(saved: dict[str, Any], network: Backbone) -> None:
    """Warn where files become samples in another way than when the folder was written."""
    now = network.preprocessing.reading
    before = saved.get("reading", now)  # the first folders did not tell
    changed = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    if changed:
        warnings.warn(
            f"this Regraft reads samples otherwise than the one that fitted the model: {', '.join(changed)}; "
            "fit it again where that concerns your files",
            stacklevel=3,
        )


def _tensors(model: Model) -> dict[str, Tensor]:
    return apart({**model.state_dict(), **_prefixed(model.backbone.preprocessing.tensors())})


def numbers_of(network: Backbone) -> dict[str, Tensor]:
    """Those of a network that has no head, by the names that they have in a model."""
    own = {f"{OF_BACKBONE}{name}": t for name, t in network.state_dict().items()}
    return apart({**own, **_prefixed(network.preprocessing.tensors())})


def _learned(model: Model) -> list[Tensor]:
    """The numbers behind the network: of the head, and of what it knows of its own sureness."""
    parts = [part for part in (model.head, model.certainty) if part is not None]
    return [tensor for part in parts for tensor in part.state_dict().values()]


def _prefixed(fitted: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{OF_PREPROCESSING}{k}": t for k, t in fitted.items()}


def _head_of(saved: dict[str, Any], tensors: dict[str, Tensor]) -> nn.Module:
    """The empty head, if the tensors have its sizes: what is claimed costs no memory before it is checked."""
    with torch.device("meta"):
        empty = head_from_json(saved).state_dict()
    claimed = {f"{OF_HEAD}{name}": tensor.shape for name, tensor in empty.items()}
    there = {name: tensor.shape for name, tensor in tensors.items() if name.startswith(OF_HEAD)}
    if claimed != there:
        raise ValueError("its head is of another size than its weights")
    return head_from_json(saved)


def _classes_of(head: dict[str, Any]) -> Any:
    """How many scores a saved head gives; one behind a map of the features gives those of what it holds."""
    return _classes_of(head["head"]) if "head" in head else head.get("classes")


def _usable(engine: Engine) -> Engine:
    torch.device(engine.device)  # a RuntimeError for one that nobody has
    if engine.device.startswith("cuda") and not torch.cuda.is_available():
        return Engine("cpu", engine.precision, engine.channels_last)
    return engine
