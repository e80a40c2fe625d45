"""Where feature maps come from. Each loader is one module; the list of loaders is closed."""

import copy
import json
import warnings
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from ..backbone import Backbone
from ..domain import Domain
from ..errors import InputError
from ..heads import Linear
from ..output import Classes
from ..pretrained_head import PretrainedHead
from ..provenance import ancestors_of, told
from ..samples import is_images, kind_of
from .adapted import rebuild_adapted
from .glyphs import glyphs
from .low_rank import rebuild_factored
from .merging import merged
from .module import module_backbone, rebuild_module
from .neighbourhoods import neighbourhoods
from .pool import pool, shortened
from .pyramid import levels_of, pyramid, rebuild_pyramid
from .raw import pixels, table, vectors, words
from .small import SMALL, lenet, rebuild_small, small_convnet, small_mlp
from .texts import rebuild_small_text, small_text, text

__all__ = [
    "DEFAULT_NETWORK",
    "glyphs",
    "lenet",
    "levels_of",
    "merged",
    "module_backbone",
    "neighbourhoods",
    "open_backbone",
    "opens_offline",
    "pixels",
    "pyramid",
    "rebuild",
    "shortened",
    "small_convnet",
    "small_mlp",
    "small_text",
    "table",
    "text",
    "vectors",
    "words",
]

BUILT_IN = {
    "glyphs": glyphs,
    "pixels": pixels,
    "vectors": vectors,
    "words": words,
    "table": table,
    "text": text,
}
MOST_PARTS = 64  # of one description: each slice or chain of networks is a few
DEFAULT_NETWORK = "mobilenetv3_large_100"


def open_backbone(
    given: str | Path | nn.Module | None = None,
    *,
    weights: str | Path | None = None,
    domain: Domain | None = None,
    module: nn.Module | None = None,
) -> Backbone:
    """The backbone that is meant by a name, a path, a module or nothing.

    given: the name of a timm model; "glyphs" (built in), "pixels", "vectors", "words" (counts), "table" or
        "text" (a bag of words); a folder that Regraft saved, which is a backbone again; a module of your own;
        None for the best there is for the domain's samples: a good timm model where its weights can be had,
        otherwise the built-in network.
    weights: a local safetensors file with the JSON beside it that says which network it belongs to.
    module: for a folder that holds a network of your own: such a module again, which nothing in the folder
        may make.

    >>> open_backbone("vectors").name
    'columns'
    """
    if isinstance(given, Backbone):
        return given
    if isinstance(given, nn.Module):
        return module_backbone(given, sample=_prepared_sample(domain))
    if weights is not None:
        from .timm import timm_backbone

        return timm_backbone(str(given) if given is not None else None, weights=Path(weights))
    if given is None:
        return _default_for(domain)
    if str(given) in BUILT_IN:
        return BUILT_IN[str(given)]()
    if Path(given).is_dir():
        from ..backbone_folder import has_no_head, load_backbone
        from ..model_folder import load

        if has_no_head(Path(given)):
            return load_backbone(given, module)
        model = load(given, module)
        network = model.backbone
        network.ancestors = ancestors_of(model.provenance, getattr(model.output, "names", ()))
        # columns as they are have learned nothing, and a head on them would be all that is borrowed
        if network.pretrained and isinstance(model.head, Linear) and isinstance(model.output, Classes):
            network.old_head = PretrainedHead.of(model.head, model.output.names, told(network.ancestors[-1]))
        network.place = Path(given)
        return network
    if Path(given).suffix == ".safetensors":
        return open_backbone(weights=given)
    from .timm import timm_backbone

    return timm_backbone(str(given))


def opens_offline(name: str) -> bool:
    """Whether `open_backbone` needs no network for a name.

    >>> opens_offline("glyphs")
    True
    """
    if name in BUILT_IN:
        return True
    from .timm import weights_are_here

    return weights_are_here(name)


def rebuild(spec: dict[str, Any], module: nn.Module | None = None) -> Backbone:
    """The network that `spec` describes, without its weights: what loading a model folder starts with."""
    if isinstance(module, Backbone) and module.spec == spec:
        return module.copied()
    if json.dumps(spec).count('"loader"') > MOST_PARTS:
        raise InputError(f"a network in more than {MOST_PARTS} parts is none that Regraft made")
    loader = spec.get("loader")
    if loader == "timm":
        from .timm import rebuild_timm

        return rebuild_timm(spec)
    if loader in SMALL:
        return rebuild_small(spec)
    if loader == "vectors":
        return vectors()
    if loader == "words":
        return words()
    if loader == "table":
        return table()
    if loader == "text":
        return text()
    if loader == "small text":
        return rebuild_small_text(spec)
    if loader == "pixels":
        return pixels(int(spec["side"]))
    if loader == "neighbourhoods":
        return neighbourhoods(int(spec["side"]))
    if loader == "pyramid":
        return rebuild_pyramid(spec, rebuild(spec["of"], module))
    if loader == "pool":
        return pool()
    if loader == "slice":
        return rebuild(spec["of"], module)[spec["start"] : spec["stop"]]
    if loader == "chain":
        front, back = (rebuild(part, module) for part in spec["parts"])
        return back.behind(front)
    if loader == "adapted":
        return rebuild_adapted(spec, rebuild(spec["of"], module))
    if loader == "low rank":
        return rebuild_factored(spec, rebuild(spec["of"], module))
    if loader == "module":
        if module is None:
            raise InputError(
                "this was built on a network of your own: hand it in again, "
                "rg.load(path, backbone=module) for a model, "
                "rg.open_backbone(path, module=module) for a backbone"
            )
        own = copy.deepcopy(module)
        return own if isinstance(own, Backbone) else rebuild_module(spec, own)
    raise InputError(f"networks of kind {json.dumps(loader)} are unknown to this version of Regraft")


def _prepared_sample(domain: Domain | None) -> Tensor | None:
    """Two inputs on which a cut through a module can be checked, where the samples are the inputs."""
    if domain is None or not isinstance(domain.x, Tensor) or is_images(domain.x):
        return None
    few = domain.x[:2]
    return few.float() if few.is_floating_point() else few


def _default_for(domain: Domain | None) -> Backbone:
    """What to borrow when nothing was named."""
    kind = "images" if domain is None else kind_of(domain.x)
    if kind != "images":
        return {"vectors": vectors, "sparse": words, "table": table, "texts": text}[kind]()
    try:
        from .timm import timm_backbone

        return timm_backbone(DEFAULT_NETWORK)
    except InputError as reason:
        warnings.warn(
            f"{DEFAULT_NETWORK} cannot be had ({reason}). Using the small built-in network, pretrained on "
            "printed glyphs only: on photos expect far less from it; name a backbone or pass weights.",
            stacklevel=3,
        )
        return glyphs()
