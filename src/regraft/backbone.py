"""φ, a pretrained feature map, as a chain of stages with the preprocessing that belongs to its weights."""

import copy
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx, nn

from .errors import InputError
from .preprocessing import AsTheyAre, Preprocessing
from .pretrained_head import PretrainedHead
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

    `old_head` is the head that it was pretrained with, where that is known by the names of its classes. It
    belongs to the features at the end: a chain that ends elsewhere has none, and neither has a trained one.

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
        self.ancestors: tuple[dict[str, Any], ...] = ()  # what fitted it before, the oldest first
        self.old_head: PretrainedHead | None = None
        self.place: Path | str | None = None  # a file, a folder or a name that it can be opened from again

    def __len__(self) -> int:
        return len(self.stages)

    def __getitem__(self, cut: slice) -> "Backbone":
        start, stop, step = cut.indices(len(self))
        if step != 1:
            raise InputError(f"a slice of a backbone has no step, and this one has {step}: leave it out")
        part = self.rewired(list(zip(self.names, self.stages, strict=True))[start:stop])
        if start > 0:
            part.preprocessing = AsTheyAre()
        part.old_head = self.old_head if stop == len(self) else None
        of, first, last = _place(self.spec)
        part.spec = _part(of, first + start, last if stop == len(self) else first + max(start, stop))
        return part

    def cut(self, stage: int) -> tuple["Backbone", "Backbone"]:
        """What runs up to the cut, preprocessing included, and what takes its activations from there."""
        return self[:stage], self[stage:].prepared_by(AsTheyAre())

    def rewired(self, stages: Sequence[tuple[str, nn.Module]]) -> "Backbone":
        """The same backbone made of other stages, and so without the old head, which knows these."""
        made = Backbone(
            stages,
            self.preprocessing,
            name=self.name,
            spec=self.spec,
            licence=self.licence,
            source=self.source,
            pretrained=self.pretrained,
        )
        made.ancestors = self.ancestors
        made.place = self.place
        return made

    def behind(self, prefix: "Backbone") -> "Backbone":
        """The chain of `prefix` and then this one; the inverse of cutting."""
        named = [*zip(prefix.names, prefix.stages, strict=True), *zip(self.names, self.stages, strict=True)]
        whole = prefix.rewired(named)
        whole.old_head = self.old_head
        (of, first, _), (same, begin, last) = _place(prefix.spec), _place(self.spec)
        if of == same and first + len(prefix) == begin:
            whole.spec = _part(of, first, last)
        elif len(prefix):
            whole.spec = {"loader": "chain", "parts": [prefix.spec, self.spec]}
        else:
            whole.spec = self.spec
        return whole

    def prepared_by(self, preprocessing: Preprocessing) -> "Backbone":
        """The same stages behind another preprocessing."""
        changed = self.rewired(list(zip(self.names, self.stages, strict=True)))
        changed.preprocessing = preprocessing
        changed.old_head = self.old_head
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
        """A hash of how the chain is built, what prepares its input and every number in it.

        Of each module it sees the path, the class, what `extra_repr` tells, and what torch.fx wrote down.
        It does not see the code of a class, nor attributes that `extra_repr` is silent about: two modules
        of your own that differ in these alone have one fingerprint.

        >>> relu, sigmoid = (Backbone([("a", act)], name="toy") for act in (nn.ReLU(), nn.Sigmoid()))
        >>> relu.fingerprint() == sigmoid.fingerprint()
        False
        """
        modules = [
            [
                path,
                f"{type(m).__module__}.{type(m).__qualname__}",
                m.extra_repr(),
                m.code if isinstance(m, fx.GraphModule) else "",
            ]
            for path, m in self.stages.named_modules(remove_duplicate=False)
        ]
        built = [self.spec, self.names, self.preprocessing.to_json(), modules]
        seen = hashlib.blake2b(json.dumps(built, sort_keys=True).encode(), digest_size=16)
        parts = {**self.state_dict(), **{f"prepare {k}": t for k, t in self.preprocessing.tensors().items()}}
        for key in sorted(parts):
            value = parts[key].detach().cpu().contiguous()
            seen.update(f"{key}{value.dtype}{tuple(value.shape)}".encode())
            seen.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
        return seen.hexdigest()


def _place(spec: dict[str, Any]) -> tuple[dict[str, Any], int, int | None]:
    """What a spec tells of: the spec of the whole, and the stages from where to where (None: its end)."""
    return (spec["of"], spec["start"], spec["stop"]) if spec.get("loader") == "slice" else (spec, 0, None)


def _part(of: dict[str, Any], start: int, stop: int | None) -> dict[str, Any]:
    """The spec of some stages of a whole; all of them are the whole."""
    return of if (start, stop) == (0, None) else {"loader": "slice", "start": start, "stop": stop, "of": of}
