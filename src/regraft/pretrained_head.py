"""The head that a network was pretrained with, and what its classes are called."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear

from .class_names import same_classes
from .domain import Domain
from .errors import InputError


@final
@dataclass(frozen=True, eq=False)
class PretrainedHead:
    """z Wᵀ + b for the k classes of a source; it sits behind the last stage of the backbone that carries it.

    weight: k × d. bias: k. names: of the k classes, each with its synonyms behind commas.
    source: what it was trained on, in words.

    A network of your own may have one too: what its last layer was, and what that layer's outputs are called.

    >>> from regraft import Domain, METHODS, Problem
    >>> from regraft.backbones import module_backbone
    >>> net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    >>> phi = module_backbone(net[:-1])
    >>> phi.old_head = PretrainedHead.of(net[-1], ["emu", "owl, night bird", "crow"])
    >>> phi.old_head.known(["Owl", "kiwi"])
    {'Owl': (1,)}
    >>> x = torch.randn(6, 4)
    >>> model = METHODS["OldHead"]().fit(Problem(target_labelled=Domain(x, ["crow", "owl"] * 3)), phi)
    >>> torch.allclose(model.logits(x), net(x)[:, [2, 1]].double())
    True
    """

    weight: Float[Tensor, "k d"]
    bias: Float[Tensor, " k"]
    names: tuple[str, ...]
    source: str

    def __post_init__(self) -> None:
        k = len(self.names)
        if self.weight.ndim != 2 or len(self.weight) != k or self.bias.shape != (k,):
            raise InputError(
                f"a head of {k} class names has weights of shape {tuple(self.weight.shape)} and a bias of "
                f"shape {tuple(self.bias.shape)}: give a row of weights, a bias and a name for each class"
            )
        for name in ("weight", "bias"):  # copies, which stay as they are while the layer is trained
            object.__setattr__(self, name, getattr(self, name).detach().cpu().clone())

    @classmethod
    def of(
        cls, layer: nn.Module, names: Sequence[str], source: str = "a head that was handed in"
    ) -> "PretrainedHead":
        """The head that a linear layer is, with the names of its outputs in their order."""
        weight, bias = getattr(layer, "weight", None), getattr(layer, "bias", None)
        if not isinstance(weight, Tensor) or weight.ndim != 2:
            raise InputError(
                f"a head is a linear layer, and this is a {type(layer).__name__}: give the last one"
            )
        bias = bias if isinstance(bias, Tensor) else weight.new_zeros(len(weight))
        return cls(weight, bias, tuple(names), source)

    def known(self, classes: Sequence[str]) -> dict[str, tuple[int, ...]]:
        """Of these classes those that it has, each with the rows that bear its name (`same_classes`)."""
        return same_classes(self.names, classes)

    def singular(self, classes: Sequence[str]) -> dict[str, str]:
        """Of the classes that it does not have those that it would have without an s at the end.

        >>> head = PretrainedHead(torch.eye(2), torch.zeros(2), ("ant, emmet", "bee"), "insects")
        >>> head.singular(["ants", "bee", "moss"])
        {'ants': 'ant'}
        """
        has = self.known(classes)
        shorter = {name: name[:-1] for name in classes if name not in has and name[-1:] in ("s", "S")}
        return {name: short for name, short in shorter.items() if self.known([short])}

    def rows(self, features: Domain) -> dict[str, int]:
        """The row of each class of the domain that it has.

        Where several rows bear one name, the one under which the samples of that class are likeliest: it is a
        matter of which sense was meant, which the samples say and a sum or a mean over the senses blurs. The
        first of them where there are no samples.

        features: n × d in x. Raises InputError where they are not the features that it was trained on.
        """
        z = features.x
        assert isinstance(z, Tensor)
        if z.shape[1:] != self.weight.shape[1:]:
            raise InputError(
                f"the old head takes {self.weight.shape[1]} features, and the network gives {z.shape[1]}: "
                "give the head that belongs to it"
            )
        found = self.known(features.classes.names)
        chosen = {name: rows[0] for name, rows in found.items()}
        if all(len(rows) == 1 for rows in found.values()):
            return chosen
        log_p = linear(z.to(self.weight.dtype), self.weight, self.bias).log_softmax(1)
        for position, name in enumerate(features.classes.names):
            own = log_p[features.labels == position]
            if name in found and len(own):
                senses = list(found[name])
                chosen[name] = senses[int(own[:, senses].mean(0).argmax())]
        return chosen

    def told(self, rows: dict[str, int]) -> dict[str, object]:
        """What is remembered of rows that a model took: whose they were, and what they were called there."""
        return {"of": self.source, "rows": {name: self.names[row] for name, row in rows.items()}}

    def fingerprint(self) -> str:
        """A hash of every number and name in it."""
        seen = hashlib.blake2b("\0".join(self.names).encode(), digest_size=16)
        for part in (self.weight, self.bias):
            seen.update(part.contiguous().view(torch.uint8).numpy().tobytes())
        return seen.hexdigest()
