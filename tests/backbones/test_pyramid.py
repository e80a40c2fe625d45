"""Pyramids: the maps are those of the network, in any cut, and a saved one is rebuilt."""

import pytest
import torch
from torch import nn

from regraft.backbones import glyphs, module_backbone, rebuild, small_convnet, vectors
from regraft.backbones.pyramid import levels_of, pyramid
from regraft.errors import InputError
from regraft.heads.levels import unpacked
from regraft.preprocessing.images import ImagePreprocessing

PICTURES = torch.randint(
    0, 256, (3, 40, 50, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
)


def seen_by_hooks(backbone, x):
    """The output of every stage of the network itself."""
    seen = []
    handles = [s.register_forward_hook(lambda m, given, out: seen.append(out)) for s in backbone.stages]
    backbone.features(x)
    for handle in handles:
        handle.remove()
    return seen


def test_levels_are_what_the_stages_of_the_network_put_out():
    network = glyphs()
    maps = unpacked(pyramid(network).features(PICTURES), levels_of(pyramid(network)))
    stem, strokes, _, pooled = seen_by_hooks(network, PICTURES)
    torch.testing.assert_close(maps[0], stem)
    torch.testing.assert_close(maps[1], strokes)
    torch.testing.assert_close(maps[2].mean((2, 3)), pooled)  # the last map, before the network averages it


def test_a_network_of_timm_ends_before_its_pooling():
    timm = pytest.importorskip("regraft.backbones.timm")
    network = timm.timm_backbone("test_resnet", pretrained=False)
    made = pyramid(network)
    square = torch.randint(0, 256, (2, 160, 160, 3), dtype=torch.uint8)
    uncropped = network.prepared_by(made.preprocessing)
    last = unpacked(made.features(square), levels_of(made))[-1]
    torch.testing.assert_close(last.mean((2, 3)), uncropped.features(square), rtol=1e-4, atol=1e-5)
    assert [h for _, h, _ in levels_of(made)] == [40, 20, 10, 5]


def test_one_tensor_crosses_every_cut():
    made = pyramid(small_convnet((32, 32)))
    whole = made.features(PICTURES)
    for stage in range(len(made) + 1):
        prefix, suffix = made.cut(stage)
        crossing = prefix.features(PICTURES) if stage else made.preprocessing(PICTURES)
        assert torch.equal(suffix.features(crossing), whole)
        assert levels_of(suffix) == levels_of(made)


def test_it_is_rebuilt_from_its_spec_and_refused_where_shapes_disagree():
    made = pyramid(small_convnet((32, 32)), size=(48, 32))
    again = rebuild(made.spec)
    again.load_state_dict(made.state_dict())
    assert torch.equal(again.features(PICTURES), made.features(PICTURES))
    suffix = made[2:]
    assert levels_of(rebuild(suffix.spec)) == levels_of(made)
    with pytest.raises(InputError, match="save the model again"):
        rebuild({**made.spec, "levels": [[1, 2, 3]]})


def test_a_pyramid_of_a_pyramid_is_itself():
    made = pyramid(glyphs())
    assert pyramid(made) is made


def test_resolutions_that_repeat_or_are_too_fine_are_no_levels():
    layers = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),  # 96 × 96 places: too many
        nn.Conv2d(4, 5, 2, stride=2),
        nn.Conv2d(5, 6, 3, padding=1),  # as fine as the one before, which it replaces
        nn.Conv2d(6, 7, 2, stride=2),
        nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    )
    rule = ImagePreprocessing((96, 96))
    made = pyramid(module_backbone(layers, preprocessing=rule))
    assert levels_of(made) == ((6, 48, 48), (7, 24, 24))
    assert made.preprocessing.resize == "squash"
    assert made.preprocessing.crop_fraction == 1.0


def test_what_has_no_maps_is_refused():
    with pytest.raises(InputError, match="takes no pictures"):
        pyramid(vectors())
    rule = ImagePreprocessing((8, 8))
    flat = module_backbone(nn.Sequential(nn.Flatten(), nn.Linear(192, 4)), preprocessing=rule)
    with pytest.raises(InputError, match="no maps"):
        pyramid(flat)
    with pytest.raises(InputError, match="one vector a picture"):
        levels_of(flat)


def test_training_moves_the_shared_modules_and_nothing_is_left_of_the_pooled_end():
    network = small_convnet((32, 32))
    made = pyramid(network)
    own = {id(p) for p in network.parameters()}
    assert {id(p) for p in made.parameters()} <= own
    made(made.preprocessing(PICTURES)).sum().backward()
    assert all(p.grad is not None for p in made.parameters())
