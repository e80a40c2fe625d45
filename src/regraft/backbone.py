"""φ, a pretrained feature map, as a chain of stages with the preprocessing that belongs to its weights."""

import copy
import hashlib
import json
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .preprocessing import AsTheyAre, Preprocessing
from .samples import Samples


class Backbone(nn.Module):
    """φ = stage_L ∘ … ∘ stage_1, from prepared samples to one feature vector (n × d) a sample.

    stages: (name, module) in the order in which they run.
    preprocessing: from samples to what the first stage takes.
    spec: how the network is rebuilt without its weights (see `backbones.rebuild`), JSON-able.
    licence, source: of the weights; they are recorded with every model.

    Slicing gives sub-chains that share the modules, so that frozen stages, learning rates, cached
    activations and matched features all speak of one cut. `backbone[:k]` keeps the preprocessing;
    `backbone[k:]` with k > 0 takes the activations of stage k as they are.

    >>> phi = Backbone([("a", nn.Linear(3, 4)), ("b", nn.ReLU())], name="toy")
    >>> x = torch.ones(2, 3)
    >>> torch.equal(phi[1:](phi[:1](x)), phi(x))
    True
    >>> len(phi), phi[:1].names
    (2, ['a'])
    """

    def __init__(
        self,
        stages: Sequence[tuple[str, nn.Module]],
        preprocessing: Preprocessing | None = None,
        *,
        name: str,
        spec: dict[str, Any] | None = None,
        licence: str = "",
        source: str = "",
        pretrained: bool = True,
    ) -> None:
        super().__init__()
        self.names = [stage for stage, _ in stages]
        self.stages = nn.ModuleList(module for _, module in stages)
        self.preprocessing = preprocessing or AsTheyAre()
        self.name = name
        self.spec: dict[str, Any] = spec or {"loader": "module"}
        self.licence = licence
        self.source = source
        self.pretrained = pretrained

    def __len__(self) -> int:
        return len(self.stages)

    def __getitem__(self, cut: slice) -> "Backbone":
        start, stop, _ = cut.indices(len(self))
        part = self.rewired(list(zip(self.names, self.stages, strict=True))[start:stop])
        if start > 0:
            part.preprocessing = AsTheyAre()
        if (start, stop) != (0, len(self)):
            part.spec = {"loader": "slice", "start": start, "stop": stop, "of": self.spec}
        return part

    def cut(self, stage: int) -> tuple["Backbone", "Backbone"]:
        """What runs up to the cut, preprocessing included, and what takes its activations from there."""
        return self[:stage], self[stage:].prepared_by(AsTheyAre())

    def rewired(self, stages: Sequence[tuple[str, nn.Module]]) -> "Backbone":
        """The same backbone made of other stages."""
        return Backbone(
            stages,
            self.preprocessing,
            name=self.name,
            spec=self.spec,
            licence=self.licence,
            source=self.source,
            pretrained=self.pretrained,
        )

    def behind(self, prefix: "Backbone") -> "Backbone":
        """The chain of `prefix` and then this one; the inverse of cutting."""
        named = [*zip(prefix.names, prefix.stages, strict=True), *zip(self.names, self.stages, strict=True)]
        whole = prefix.rewired(named)
        whole.spec = prefix.spec["of"] if prefix.spec["loader"] == "slice" else prefix.spec
        return whole

    def prepared_by(self, preprocessing: Preprocessing) -> "Backbone":
        """The same stages behind another preprocessing."""
        changed = self.rewired(list(zip(self.names, self.stages, strict=True)))
        changed.preprocessing = preprocessing
        return changed

    def copied(self) -> "Backbone":
        """An independent copy, free to be trained."""
        return copy.deepcopy(self)

    def forward(self, x: Tensor) -> Tensor:
        weight = next(self.parameters(), None)
        if weight is not None and x.is_floating_point():
            x = x.to(weight.dtype)  # arrays come in double, stored activations in half precision
        for stage in self.stages:
            x = stage(x)
        return x

    @torch.no_grad()
    def features(self, x: Tensor | Samples) -> Tensor:
        """φ(x) for a few samples, straight through: `embed` does many, stored and in batches."""
        out: Tensor = self.eval()(self.preprocessing(x))
        return out

    @property
    def licence_line(self) -> str:
        """Where the weights come from and what one may do with them, as far as it is known."""
        return f"{self.source or 'source not stated'}; licence: {self.licence or 'not stated'}"

    def fingerprint(self) -> str:
        """A hash of how the chain is built, what prepares its input and every number in it."""
        seen = hashlib.blake2b(digest_size=16)
        seen.update(
            json.dumps([self.spec, self.names, self.preprocessing.to_json()], sort_keys=True).encode()
        )
        parts = {**self.state_dict(), **{f"prepare {k}": t for k, t in self.preprocessing.tensors().items()}}
        for key in sorted(parts):
            value = parts[key].detach().cpu().contiguous()
            seen.update(f"{key}{value.dtype}{tuple(value.shape)}".encode())
            seen.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
        return seen.hexdigest()
