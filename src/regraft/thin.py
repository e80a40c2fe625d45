"""A model folder without what it shares, bit for bit, with the network that the model was fitted on."""

import hashlib
import json
import warnings
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, final

import torch
from safetensors.torch import save as save_bytes
from torch import Tensor, nn

from .backbone import Backbone
from .beside import seen_at, seen_from
from .errors import InputError
from .provenance import versions

LEAST = 0.5  # the share of a network, in bytes, that has to be borrowed for a folder to depend on the rest


@final
@dataclass(frozen=True)
class Borrowed:
    """The network that a thin folder needs: what it is, how it is told from others, where it may be found.

    fingerprint: of structure and weights. weights_sha256: of its tensors alone, which no version of torch or
    timm changes. whole_sha256: of all tensors of the model, left out or not. place: a name that
    `open_backbone` knows, or the way from the folder to a file or folder beside it.
    """

    name: str
    spec: dict[str, Any]
    licence_line: str
    fingerprint: str
    weights_sha256: str
    whole_sha256: str
    versions: dict[str, str]
    place: dict[str, str]

    @classmethod
    def of(cls, phi: Backbone, whole: dict[str, Tensor], folder: Path) -> "Borrowed":
        way = seen_from(folder, phi.place) if isinstance(phi.place, Path) else None
        return cls(
            name=phi.name,
            spec=phi.spec,
            licence_line=phi.licence_line,
            fingerprint=phi.fingerprint(),
            weights_sha256=sha256(phi.state_dict()),
            whole_sha256=sha256(whole),
            versions=versions(),
            place={"name": phi.place} if isinstance(phi.place, str) else {} if way is None else {"way": way},
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> "Borrowed":
        return cls(**saved)

    def network(self, folder: Path, given: nn.Module | None) -> Backbone:
        """The network itself: the one that is handed in, or the one that is where it was; no other is taken.

        Weights are looked for in the package, beside the folder and in the hub's local cache. Nothing is
        fetched because a folder says so.
        """
        from .backbones import rebuild

        found = self._found(folder) if given is None else given
        if found is None:
            raise InputError(
                f"{folder} holds only what differs from {self.name} ({self.licence_line}), which is not "
                "where it was: hand it in by --backbone or --weights (in Python: rg.load(folder, backbone=…))"
            )
        phi = found if isinstance(found, Backbone) else rebuild(self.spec, found)
        other = phi.fingerprint() != self.fingerprint
        same = sha256(phi.state_dict()) == self.weights_sha256 and _plain(phi.spec) == self.spec
        if other and (not same or versions() == self.versions):
            raise InputError(
                f"{folder} holds only what differs from {self.name} (fingerprint {self.fingerprint}), and "
                f"the network {'found' if given is None else 'handed in'} is another ({phi.name}, "
                f"{phi.fingerprint()}): give the one that the model was fitted on"
            )
        if other:
            warnings.warn(
                f"the weights of {self.name} are those that {folder} was saved with, and versions are not: "
                "check some predictions",
                stacklevel=4,
            )
        phi = phi.rewired(list(zip(phi.names, phi.stages, strict=True)))
        phi.spec = self.spec  # as JSON has it, to be found within the model's
        return phi

    def completed(self, tensors: dict[str, Tensor], network: Backbone) -> dict[str, Tensor]:
        """The tensors of the folder, and for the network's others those that it was borrowed with.

        Raises ValueError where the folder has a tensor that is none of the network's, or not of its size.
        """
        there = {f"backbone.{name}": t for name, t in network.state_dict().items()}
        for name, own in tensors.items():
            if not name.startswith("backbone."):
                continue
            if name not in there or (own.shape, own.dtype) != (there[name].shape, there[name].dtype):
                raise ValueError(f"{name} does not fit into {self.name}")
        return {**there, **tensors}

    def _found(self, folder: Path) -> Backbone | None:
        """What is where the network was, whatever it is now."""
        from .backbones import open_backbone, opens_offline, rebuild
        from .backbones.small import SMALL

        try:
            if "name" in self.place:
                return open_backbone(self.place["name"]) if opens_offline(self.place["name"]) else None
            if "way" in self.place:
                there = seen_at(folder, _below(self.place["way"]))
                return None if there is None or _is_thin(there) else open_backbone(there)
            if self.spec.get("loader") in SMALL:
                seeded = rebuild(self.spec)  # where its random weights were never trained
                return seeded if seeded.fingerprint() == self.fingerprint else None
        except InputError:
            pass
        return None


def thinned(
    backbone: Backbone, tensors: dict[str, Tensor], on: Backbone, folder: Path
) -> tuple[Borrowed | None, dict[str, Tensor]]:
    """What a thin folder says of the network it needs, and the tensors that it has to hold itself.

    tensors: all of the model. Where less than half of the network is that of `on`, bit for bit, the folder
    keeps everything, and says so in a warning.
    """
    from .backbones import rebuild

    if not any(True for _ in on.parameters()):
        return None, tensors  # there is nothing to leave out
    there = {f"backbone.{name}": t for name, t in rebuild(backbone.spec, on).state_dict().items()}
    network = {name: t for name, t in tensors.items() if name.startswith("backbone.")}
    shared = {name for name, t in network.items() if name in there and _same_bits(t, there[name].cpu())}
    most = min(_bytes(network.values()), _bytes(on.state_dict().values()))  # what was added does not count
    share = _bytes(network[name] for name in shared) / most
    if share < LEAST:
        warnings.warn(
            f"{share:.0%} of this model's network is {on.name} as it was, so the folder holds all of it "
            "and needs no other",
            stacklevel=4,
        )
        return None, tensors
    return Borrowed.of(on, tensors, folder), {name: t for name, t in tensors.items() if name not in shared}


def sha256(tensors: dict[str, Tensor]) -> str:
    """The SHA-256 of tensors as a safetensors file of them has it."""
    return hashlib.sha256(save_bytes(apart(tensors))).hexdigest()


def apart(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """A copy of each: tensors that share memory cannot be saved side by side."""
    return {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(t.nbytes for t in tensors)


def _same_bits(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors are the same bytes; -0 is not 0 here, and a NaN is itself."""
    if (a.shape, a.dtype) != (b.shape, b.dtype):
        return False
    first, second = (t.contiguous().reshape(-1).view(torch.uint8) for t in (a, b))
    return torch.equal(first, second)


def _plain(spec: dict[str, Any]) -> Any:
    """The spec as JSON has it, in which tuples are lists."""
    return json.loads(json.dumps(spec))


def _below(way: str) -> str | None:
    """The way if it leads from the folder to what is beside it, and nowhere else."""
    first, *rest = PurePosixPath(way).parts or ("",)
    return way if first == ".." and rest and ".." not in rest else None


def _is_thin(there: Path) -> bool:
    """Whether it is a model folder that needs a network itself: one that leads to itself would never end."""
    from .folder import described

    return there.is_dir() and bool(described(there).get("borrowed"))
