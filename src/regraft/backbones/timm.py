"""Networks of timm by name, with the preprocessing and the licence of their weights."""

import importlib
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..backbone import Backbone
from ..errors import InputError, near
from ..preprocessing import preprocessing_from_json
from ..preprocessing.images import ImagePreprocessing
from ..pretrained_head import PretrainedHead
from .cutting import by_child, cut
from .files import WeightsFile, class_names, load_strictly, weights_file
from .hub import WeightsUnavailable, cached, fetched, unavailable
from .module import framed, pictures

__all__ = ["WeightsUnavailable", "import_timm", "rebuild_timm", "timm_backbone", "with_classifier"]

# arguments of create_model that name files, reach for a network or change what comes out
RESERVED = {
    *("cache_dir", "checkpoint_path", "pretrained", "pretrained_cfg", "pretrained_cfg_overlay"),
    *("exportable", "features_only", "no_jit", "num_classes", "out_indices", "scriptable"),
}

MOST_ARGUMENT, MOST_NUMBERS = 8192, 1 << 30


def timm_backbone(
    name: str | None = None,
    *,
    pretrained: bool = True,
    weights: Path | None = None,
    model_args: dict[str, Any] | None = None,
) -> Backbone:
    """A network of timm in its own stages, ending in the pooled features n × d before the classifier.

    name: as `timm.list_models()` has it; with `weights` the JSON beside the file says it.
    weights: a local safetensors file (see `weights_file`); without one they come from timm's hub.
    model_args: what else `timm.create_model` takes to build the network.

    Raises WeightsUnavailable where there is no network, and InputError for an unknown name, arguments that
    the network does not take and weights that do not match it.

    >>> phi = timm_backbone("test_resnet", pretrained=False)
    >>> phi.names
    ['stem', 'layer1', 'layer2', 'layer3', 'layer4']
    >>> phi.features(torch.zeros(2, 8, 8, dtype=torch.uint8)).shape
    torch.Size([2, 96])
    """
    return with_classifier(name, pretrained=pretrained, weights=weights, model_args=model_args)[0]


def with_classifier(
    name: str | None = None,
    *,
    pretrained: bool = True,
    weights: Path | None = None,
    model_args: dict[str, Any] | None = None,
) -> tuple[Backbone, nn.Module | None]:
    """As `timm_backbone`, and the classifier that the weights were trained with, n × d to their classes.

    None where the weights have no classifier, or one that is more than a module applied to the features.
    """
    args = model_args or {}
    if weights is not None:
        return _from_file(weights_file(weights, name), args)
    if name is None:
        raise InputError("no network is named: give the name of a timm model or a file of weights")
    if not pretrained:
        net = _created(name, args)
        backbone, classifier = _taken_apart(net, name, args, net.pretrained_cfg)
        backbone.source = "random numbers, not trained"
        backbone.pretrained = False
        return backbone, classifier
    cfg = _described(name)
    if not cfg.get("hf_hub_id"):
        raise unavailable(name, "timm knows of none as safetensors, and other formats can execute code")
    name = f"{cfg['architecture']}.{cfg['tag']}"
    # custom loaders are for other formats
    cfg |= {"file": str(fetched(cfg["hf_hub_id"], name)), "custom_load": False}
    net = _created(name, args, pretrained=True, pretrained_cfg_overlay=cfg)
    backbone, classifier = _taken_apart(net, name, args, cfg)
    backbone.licence = cfg.get("license") or ""
    backbone.source = ", ".join(str(cfg[k]) for k in ("hf_hub_id", "origin_url") if cfg.get(k))
    backbone.old_head = _old_head(backbone, classifier, cfg)
    backbone.place = name
    return backbone, classifier


def rebuild_timm(spec: dict[str, Any]) -> Backbone:
    """The network that `spec` describes, with random weights and without a network connection."""
    _must_be_moderate(spec["architecture"], spec["args"])
    net = _created(spec["architecture"], spec["args"], num_classes=0)
    preprocessing = preprocessing_from_json(spec["preprocessing"], {})
    if not isinstance(preprocessing, ImagePreprocessing):
        raise InputError(f"timm's networks take images, not {preprocessing.kind!r}: save the model again")
    return _backbone(net, spec["architecture"], spec["args"], preprocessing)


def weights_are_here(name: str) -> bool:
    """Whether the weights of that name are in the hub's local cache, so that nothing has to be fetched."""
    cfg = _described(name)
    return bool(cfg.get("hf_hub_id")) and cached(cfg["hf_hub_id"]) is not None


def import_timm() -> Any:
    """timm, or InputError that says how to get it or why it cannot be imported."""
    try:
        return importlib.import_module("timm")
    # a torchvision built for another torch raises whatever its libraries do
    except Exception as reason:
        if isinstance(reason, ModuleNotFoundError) and reason.name == "timm":
            raise InputError(
                "networks by name come from timm, which is not installed: pip install 'regraft[images]'"
            ) from reason
        told = (str(reason).splitlines() or [type(reason).__name__])[0]
        raise InputError(
            f"timm is installed but cannot be imported ({told}): install torch and torchvision of one build"
        ) from reason


def _from_file(weights: WeightsFile, model_args: dict[str, Any]) -> tuple[Backbone, nn.Module | None]:
    name, args = weights.architecture, {**weights.model_args, **model_args}
    cfg = {**_described(name), **weights.preprocessing}
    layers = cfg.get("classifier") or ()
    rows = tuple(f"{path}." for path in ((layers,) if isinstance(layers, str) else layers))
    classes = [len(t) for key, t in weights.state.items() if key.startswith(rows) and t.ndim]
    net = _created(name, args, num_classes=classes[0] if classes else 0)
    load_strictly(net, weights)
    backbone, classifier = _taken_apart(net, name, args, cfg)
    backbone.licence, backbone.source = weights.licence, weights.source
    backbone.old_head = _old_head(backbone, classifier, weights.preprocessing)
    backbone.place = weights.path
    return backbone, classifier


def _old_head(backbone: Backbone, classifier: nn.Module | None, cfg: dict[str, Any]) -> PretrainedHead | None:
    """The classifier, if it is linear and its classes have names: those told, or ImageNet's by number."""
    if not isinstance(classifier, nn.Linear):
        return None
    names = class_names(cfg, classifier.out_features) or _imagenet_names(classifier.out_features)
    return PretrainedHead.of(classifier, names, f"{backbone.name}, {backbone.source}") if names else None


def _imagenet_names(number: int) -> tuple[str, ...]:
    """The classes of the part of ImageNet that has so many, as timm lists them; nothing where none has."""
    data = importlib.import_module("timm.data")
    subset = data.infer_imagenet_subset({"num_classes": number})
    if subset is None:
        return ()
    info = data.ImageNetInfo(subset)
    told = {"label_names": info.label_names(), "label_descriptions": info.label_descriptions(as_dict=True)}
    return class_names(told, number)


def _known(name: str) -> Any:
    """timm, where it has a network of that name."""
    timm = import_timm()
    if not isinstance(name, str) or not timm.is_model(name):
        raise InputError(
            f"timm {timm.__version__} knows no network {name!r}{near(str(name), timm.list_models())}: "
            "name one of timm.list_models()"
        )
    return timm


def _must_be_moderate(name: str, args: dict[str, Any]) -> None:
    """Raise InputError where arguments from a folder blow a network up, before its memory is asked for."""
    sizes: list[int] = []
    json.loads(json.dumps(args), parse_int=lambda digits: sizes.append(int(digits)))
    if any(size > MOST_ARGUMENT for size in sizes):
        raise InputError(f"{name} with {args} is larger than any network: save the model again")
    if args:  # without any, timm's own registry bounds it
        with torch.device("meta"):
            numbers = sum(p.numel() for p in _created(name, args, num_classes=0).parameters())
        if numbers > MOST_NUMBERS:
            raise InputError(f"{name} with {args} has {numbers:,} weights, and {MOST_NUMBERS:,} are the most")


def _created(name: str, args: dict[str, Any], **own: Any) -> Any:
    """The network, built by timm from names and plain values only."""
    timm = _known(name)
    if reserved := sorted(RESERVED & set(args)):
        raise InputError(f"model_args has {', '.join(reserved)}, which Regraft decides: leave it out")
    try:
        json.dumps(args)
    except (TypeError, ValueError) as reason:
        raise InputError(
            f"model_args are {args}, and they are saved with the model: give numbers, texts and lists only"
        ) from reason
    try:
        return timm.create_model(name, **args, **own).eval()
    # arguments go on to hundreds of constructors, each of which fails in its own way
    except Exception as reason:
        told = (str(reason).splitlines() or [type(reason).__name__])[0]
        raise InputError(
            f"timm cannot build {name} with {args} ({told}): correct the name or model_args"
        ) from reason


def _described(name: str) -> dict[str, Any]:
    """What timm says of the weights that a name stands for: where they are, and how images are prepared."""
    timm = _known(name)
    try:
        cfg = timm.get_pretrained_cfg(name)
    except RuntimeError as reason:
        tags = timm.list_pretrained(f"{name.partition('.')[0]}.*")
        raise InputError(
            f"timm knows no weights {name}: name {' or '.join(tags) or 'another network'}"
        ) from reason
    return dict(cfg.to_dict()) if cfg else {}


def _taken_apart(
    net: Any, name: str, args: dict[str, Any], cfg: dict[str, Any]
) -> tuple[Backbone, nn.Module | None]:
    """The network up to its features, and the classifier behind them."""
    preprocessing = _preprocessing(cfg, args)
    pixels = pictures(preprocessing)
    try:
        with torch.no_grad():
            logits = net(preprocessing.first_stage()(pixels))
            classifier = net.get_classifier()
            layers = classifier if isinstance(classifier, tuple) else (classifier,)
            for path in [path for path, module in net.named_modules() if path and module in layers]:
                net.set_submodule(path, nn.Identity())
            backbone = _backbone(net, name, args, preprocessing)
            features = backbone(pixels)
    # a network that timm builds and that does not run on pictures of the size it is said to take
    except (AttributeError, TypeError, RuntimeError, AssertionError) as reason:
        told = (str(reason).splitlines() or [type(reason).__name__])[0]
        raise InputError(
            f"{name} gives no features of pictures of {pixels.shape[3]}×{pixels.shape[2]} ({told}): "
            "correct input_size or model_args, or take another network"
        ) from reason
    return backbone, classifier if _is_head(classifier, features, logits) else None


def _backbone(net: Any, name: str, args: dict[str, Any], preprocessing: ImagePreprocessing) -> Backbone:
    sample = preprocessing.first_stage()(pictures(preprocessing))
    return Backbone(
        framed(cut(net, sample, _groups(net), _features), preprocessing),
        preprocessing,
        name=name,
        spec={
            "loader": "timm",
            "architecture": name,
            "args": args,
            # the first stage normalises by it
            "preprocessing": preprocessing.to_json(),
        },
    )


def _features(net: Any, x: Tensor) -> Any:
    """What the network knows of an image before it decides."""
    return net.forward_head(net.forward_features(x), pre_logits=True)


def _groups(net: Any) -> dict[str, Any]:
    """timm's own stage of each parameter, as it uses them for learning rates by layer."""
    models = importlib.import_module("timm.models")
    try:
        return dict(models.group_parameters(net, net.group_matcher(coarse=True), reverse=True))
    except (AttributeError, TypeError):
        return dict(by_child(net))


def _is_head(classifier: Any, features: Tensor, logits: Tensor) -> bool:
    """Whether classifier(features) is what the network says."""
    if not isinstance(classifier, nn.Module) or isinstance(classifier, nn.Identity):
        return False
    try:
        with torch.no_grad():
            again = classifier(features)
    except (RuntimeError, TypeError, NotImplementedError):
        return False
    within = 1e-3 * float(logits.abs().max())
    return again.shape == logits.shape and torch.allclose(again, logits, rtol=1e-3, atol=within)


def _preprocessing(cfg: dict[str, Any], args: dict[str, Any]) -> ImagePreprocessing:
    """The transforms of evaluation that belong to the weights."""
    try:
        found = importlib.import_module("timm.data").resolve_data_config({}, pretrained_cfg=cfg)
        size = args.get("img_size") or found["input_size"][1:]
        height, width = (size, size) if isinstance(size, int) else size
        mean, std = ([float(v) for v in found[key]] for key in ("mean", "std"))
        channels, share = int(args.get("in_chans", 3)), float(found["crop_pct"])
    except (AssertionError, TypeError, ValueError, KeyError) as reason:
        raise InputError(
            f"the preprocessing {cfg} cannot be read ({reason}): input_size is three whole numbers, "
            "mean and std one number for each channel, crop_pct a number"
        ) from reason
    if channels not in (1, 3):
        raise InputError(f"the network takes {channels} channels, and Regraft reads grey (1) and RGB (3)")
    if channels == 1 and len(mean) == len(std) == 3:
        mean, std = [sum(mean) / 3], [sum(std) / 3]
    return ImagePreprocessing(
        (int(height), int(width)),
        # "border" shows all of the picture as "squash" does, but pads it
        resize="crop" if found["crop_mode"] == "center" else "squash",
        crop_fraction=share,
        interpolation="bilinear" if found["interpolation"] == "bilinear" else "bicubic",
        mean=tuple(mean),
        std=tuple(std),
        colour="grey" if channels == 1 else "rgb",
    )
