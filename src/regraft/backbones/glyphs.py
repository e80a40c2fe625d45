"""The network that ships inside the package: pretrained on printed glyphs, at home on small pictures."""

from importlib.resources import files

from safetensors.torch import load

from ..backbone import Backbone
from .small import small_convnet

SIZE = (32, 32)
WIDTH = 24
LICENCE = "Apache-2.0 (trained by this project on glyphs rendered from fonts; no font is included)"
SOURCE = "Regraft, scripts/pretrain_glyphs.py: printed glyphs from the fonts that matplotlib carries"


def glyphs() -> Backbone:
    """Images → n × 192, a small convolutional network pretrained on printed letters, digits and signs.

    Helps on handwriting and other small pictures of strokes, and a little on drawings and photos; these are
    squashed to 32×32 pixels, and not much is left of them then: prefer a network pretrained on photos.
    `weights/glyphs.json` says what it was trained on.

    >>> import torch
    >>> glyphs().features(torch.zeros(2, 8, 8, dtype=torch.uint8)).shape
    torch.Size([2, 192])
    """
    backbone = rebuild_glyphs()
    stored = load(files("regraft.backbones").joinpath("weights", "glyphs.safetensors").read_bytes())
    backbone.load_state_dict({k: t.float() if t.is_floating_point() else t for k, t in stored.items()})
    backbone.place = "glyphs"
    return backbone.eval()


def rebuild_glyphs() -> Backbone:
    """The structure of `glyphs`, with random weights.

    >>> rebuild_glyphs().names
    ['stem', 'strokes', 'parts', 'whole']
    """
    untrained = small_convnet(SIZE, "rgb", WIDTH)
    return Backbone(
        list(zip(untrained.names, untrained.stages, strict=True)),
        untrained.preprocessing,
        name="glyphs",
        spec=untrained.spec,  # not the name: what is shipped may change, what was saved may not
        licence=LICENCE,
        source=SOURCE,
    )
