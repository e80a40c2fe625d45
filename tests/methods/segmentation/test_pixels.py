import torch
from torch.nn.functional import interpolate

from regraft.backbones import levels_of, pyramid
from regraft.features import embed
from regraft.heads.levels import unpacked
from regraft.methods.segmentation.pixels import drawn_pixels, hypercolumns


def test_hypercolumns_are_enlarged_maps():
    levels = ((2, 6, 4), (3, 3, 2))
    maps = [torch.randn(2, *level) for level in levels]
    z = torch.cat([m.flatten(1) for m in maps], 1)
    picture, place = torch.arange(2).repeat_interleave(24 * 4), torch.arange(96).repeat(2)
    found = hypercolumns(z, levels, picture, place, (12, 8))
    expected = torch.cat([interpolate(m, size=(12, 8), mode="bilinear") for m in maps], 1)
    torch.testing.assert_close(found, expected.flatten(2).transpose(1, 2).flatten(0, 1))


def test_pixels_drawn_estimate_sums_over_all(discs, pictures_network):
    maps = pyramid(pictures_network)
    seen = embed(maps, discs(30, seed=0))
    drawn = drawn_pixels(seen, levels_of(maps), 1500, seed=0)
    share = float(drawn.weight[drawn.labels == 0].sum() / drawn.weight.sum())
    assert abs(share - float((seen.y == 0).float().mean())) < 1e-3
    whole = unpacked(seen.x, levels_of(maps))[0].mean((0, 2, 3))
    mean = (drawn.x * drawn.weight[:, None]).mean(0)[: len(whole)]
    torch.testing.assert_close(mean, whole, atol=0.15, rtol=0.1)


def test_void_pixels_and_pictures_are_not_drawn(discs, pictures_network):
    maps, some = pyramid(pictures_network), discs(4, seed=0)
    y = some.y.clone()
    y[0], y[1, :8] = 255, 255
    drawn = drawn_pixels(embed(maps, some.with_(y=y)), levels_of(maps), 400, seed=0)
    assert drawn.group.unique().tolist() == [1, 2, 3]
    assert drawn.labels.max() == 1
