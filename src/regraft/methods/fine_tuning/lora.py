"""Low-rank changes of the weights of a frozen network."""

import importlib
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar, final

from torch import nn

from ...backbone import Backbone
from ...backbones.low_rank import Factors, LowRank, factored
from ...backbones.merging import merged
from ...errors import InputError, first_line
from ...method import param
from ...problem import Problem
from ...schedule import Schedule
from ...trained import Network
from ...training import Training
from .tuned import Tuned, as_borrowed


@final
@dataclass(frozen=True, kw_only=True)
class LoRA(Tuned):
    """min_{A,B,β} (1/n) Σ ℓ(φ_{W+(α/r)BA}(xᵢ)ᵀβ, yᵢ)  over factors A, B of rank r for the frozen weights W

    B starts at zero, so training starts at the frozen network with its linear probe. W and all statistics
    stay as they are, bit for bit. It is trained by the package peft (the extra `adapters`). What is handed
    over has the factors beside W and needs no peft; saved without W (`Model.save` with `on`) it is small, and
    `regraft.backbones.merged` puts W + (α/r) B A in the place of W.

    Linear layers and convolutions get factors; a k×k kernel counts as k² inputs. Left out, and named in the
    provenance, are convolutions in groups (depthwise ones have no rank to lower), those that are dilated or
    padded with anything but zeros, which peft 0.21 computes otherwise, layers that share their weight, and
    kinds of their own, such as those inside torch's attention. Where the features need no change it is a
    probe that took longer.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import small_mlp
    >>> data, phi = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"]), small_mlp(1)
    >>> model = LoRA(rank=2, held_out=0.0).fit(Problem(target_labelled=data), phi)
    >>> model.predict([[0.2], [0.9]]), model.provenance["ranks"]
    (['low', 'high'], {'0.linear': 2, '1.linear': 2})
    """

    reference: ClassVar[str] = "Hu et al., LoRA, ICLR 2022, arXiv:2106.09685"
    map: ClassVar[tuple[str, ...]] = ("M08",)

    stage_rate: float = param(
        1e-3, "learning rate of the factors of the last stage at its height", search=(3e-4, 1e-3, 3e-3)
    )
    rank: int = param(8, "r, the rank of what is added to a weight", search=(2, 8, 32))
    alpha: float = param(16.0, "α, which over r scales what is added", search=(8.0, 16.0, 32.0))

    def start(self, problem: Problem, backbone: Backbone, training: Training) -> Network:
        if self.rank < 1:
            raise InputError(f"LoRA got the rank {self.rank}: give a whole number above 0")
        backbone = merged(as_borrowed(backbone))
        able, left_out = layers(backbone)
        if not able:
            raise InputError(
                f"{backbone.name} has no linear layer and no plain convolution to which LoRA could add: "
                "take another network or Adapters"
            )
        peft = import_peft()
        exactly = "|".join(re.escape(path) for path in able)  # as a list they would be suffixes
        config = peft.LoraConfig(r=self.rank, lora_alpha=self.alpha, target_modules=exactly)
        peft.inject_adapter_in_model(config, backbone.stages)
        for path in able:
            layer: Any = backbone.stages.get_submodule(path)
            for factor in (layer.lora_A["default"], layer.lora_B["default"]):
                factor.learns = True
        network = super().start(problem, backbone, training)
        network.told |= {"ranks": dict.fromkeys(able, self.rank), "without_factors": left_out}
        return network

    def schedule(self, stages: int) -> Schedule:
        return Schedule(self.rate, self.stage_rate, (0.0,) * stages, which="adapters")

    def finish(self, network: Network) -> None:
        super().finish(network)
        factors: dict[str, Factors] = {}
        for path in network.told["ranks"]:
            layer: Any = network.backbone.stages.get_submodule(path)
            A, B = (each["default"].weight.detach().flatten(1) for each in (layer.lora_A, layer.lora_B))
            factors[path] = (A, B)
            network.backbone.stages.set_submodule(path, layer.get_base_layer())
        factored(network.backbone, factors, self.alpha / self.rank)


def layers(backbone: Backbone) -> tuple[list[str], list[str]]:
    """The paths below the stages of the layers that get factors, and of those with a matrix that do not.

    >>> from regraft.backbone import Backbone
    >>> deep, wide = nn.Conv2d(4, 4, 3, groups=4), nn.Conv2d(4, 8, 1)
    >>> layers(Backbone([("a", nn.Sequential(deep, nn.BatchNorm2d(4), wide))], name="toy"))
    (['0.2'], ['0.0'])
    """
    every = [m for _, m in backbone.stages.named_modules(remove_duplicate=False)]
    inside = {id(m.inner) for m in every if isinstance(m, LowRank)}  # which are never called
    owners = Counter(id(p) for module in every for p in module.parameters(recurse=False))
    able, left_out = list[str](), list[str]()
    for path, module in backbone.stages.named_modules():
        if id(module) in inside:
            continue
        if type(module) is nn.Linear:
            plain = True
        elif type(module) is nn.Conv2d:
            plain = (module.groups, *module.dilation, module.padding_mode) == (1, 1, 1, "zeros")
        elif any(p.ndim > 1 for p in module.parameters(recurse=False)):
            plain = False
        else:
            continue
        shared = any(owners[id(p)] > 1 for p in module.parameters(recurse=False))
        (able if plain and not shared else left_out).append(path)
    return able, left_out


def import_peft() -> Any:
    """peft, or InputError that says how to get it or why it cannot be imported."""
    try:
        return importlib.import_module("peft")
    # it imports transformers, and that whatever is installed beside it
    except Exception as reason:
        if isinstance(reason, ModuleNotFoundError) and reason.name == "peft":
            raise InputError("LoRA needs peft: pip install 'regraft[adapters]'") from reason
        raise InputError(
            f"peft is installed but cannot be imported ({first_line(reason)}): "
            "install versions of peft, transformers and torch that go together"
        ) from reason
