from regraft.backbones import pyramid
from regraft.methods.segmentation.pixel_probe import PixelProbe
from regraft.methods.segmentation.pyramid_head import PyramidHead
from regraft.problem import Problem
from regraft.selection import evaluate


def test_neighbours_tell_more_than_single_places(discs, pictures_network):
    seen, fresh = Problem(target_labelled=discs(40, seed=0)), discs(60, seed=9)
    maps = pyramid(pictures_network)
    probe = evaluate(PixelProbe().fit(seen, maps), fresh).value("mean_iou")
    head = PyramidHead(width=16, least_steps=120).fit(seen, maps)
    assert evaluate(head, fresh).value("mean_iou") > probe + 0.02


def test_the_head_alone_learns(pictures_network):
    modes = PyramidHead().schedule(3)(0.5)
    assert [mode.trainable for mode in modes] == [False, False, False, True]
    assert PyramidHead().lowest_trained(pyramid(pictures_network)) == 3
