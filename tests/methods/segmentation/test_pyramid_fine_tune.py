import pytest
import torch
from torch import nn

from regraft.backbones import pyramid
from regraft.methods import METHODS
from regraft.methods.segmentation.pyramid_fine_tune import PyramidFineTune
from regraft.methods.segmentation.pyramid_head import PyramidHead
from regraft.problem import Problem
from regraft.selection import evaluate

QUICK = {"epochs": 1, "least_steps": 10}


def test_repairs_maps_that_a_head_cannot(discs, pictures_network):
    spoiled = pictures_network.copied()
    for convolution in (m for m in spoiled.modules() if isinstance(m, nn.Conv2d)):
        nn.init.constant_(convolution.weight, 0.01)  # blurs, and tells no rows apart
        nn.init.zeros_(convolution.bias)
    nn.init.normal_(next(m for m in spoiled.modules() if isinstance(m, nn.Conv2d)).weight[:3], std=0.02)
    seen, fresh, maps = Problem(target_labelled=discs(30, seed=0)), discs(60, seed=9), pyramid(spoiled)
    recipe = {"width": 16, "least_steps": 100}
    frozen = evaluate(PyramidHead(**recipe).fit(seen, maps), fresh).value("mean_iou")
    tuned = evaluate(PyramidFineTune(**recipe, stage_rate=1e-2).fit(seen, maps), fresh).value("mean_iou")
    assert tuned > frozen + 0.02


def test_the_pyramid_learns_first():
    early, late = (PyramidFineTune().schedule(2)(p) for p in (0.2, 0.5))
    assert [mode.trainable for mode in early] == [False, False, True]
    assert [mode.trainable for mode in late] == [True] * 3
    assert not any(mode.statistics for mode in early + late)


@pytest.mark.parametrize("name", ["FineTune", "FrozenLayers", "LayerwiseDecay"])
def test_what_fine_tunes_classes_fine_tunes_masks(name, discs, pictures_network):
    """A hypercolumn that starts as the pixel probe takes the place of the linear head."""
    seen = Problem(target_labelled=discs(12, seed=0))
    model = METHODS[name](**QUICK).fit(seen, pyramid(pictures_network))
    assert model.head.kind == "hypercolumn"
    assert model.masks(seen.target_labelled)[0].shape == (16, 16)


def test_from_scratch_borrows_nothing(discs, pictures_network):
    seen = Problem(target_labelled=discs(12, seed=0))
    untrained = pyramid(pictures_network)
    untrained.pretrained = False
    model = METHODS["FromScratch"](**QUICK).fit(seen, untrained)
    assert model.head.kind == "feature pyramid"
    before, after = (next(net.parameters()) for net in (untrained, model.backbone))
    assert not torch.equal(before, after)
