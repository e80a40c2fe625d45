from torch import nn

from regraft.backbones import pyramid
from regraft.methods.segmentation.pixel_probe import PixelProbe
from regraft.methods.segmentation.pyramid_head import PyramidHead
from regraft.problem import Problem
from regraft.selection import evaluate


def test_neighbours_tell_more_than_single_places(discs, pictures_network):
    """Of a network that has seen no rows: what its maps tell together, no place tells alone."""
    first = next(m for m in pictures_network.modules() if isinstance(m, nn.Conv2d))
    nn.init.normal_(first.weight, std=0.3)
    seen, fresh, maps = (
        Problem(target_labelled=discs(40, seed=0)),
        discs(60, seed=9),
        pyramid(pictures_network),
    )
    probe = evaluate(PixelProbe().fit(seen, maps), fresh).value("mean_iou")
    head = evaluate(PyramidHead(width=16, least_steps=150).fit(seen, maps), fresh).value("mean_iou")
    assert head > probe + 0.02


def test_the_head_alone_learns(pictures_network):
    modes = PyramidHead().schedule(3)(0.5)
    assert [mode.trainable for mode in modes] == [False, False, False, True]
    maps = pyramid(pictures_network)
    assert PyramidHead().lowest_trained(maps) == len(maps)
