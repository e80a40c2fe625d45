"""Pixels of masks as samples of their own."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import grid_sample

from ...domain import Domain
from ...heads.levels import Level, unpacked
from ...output import Classes
from ...output.mask import VOID
from ...seeds import seed_of

MOST_EACH = 50  # pixels of a picture: more of them tell little, as neighbours are alike


def drawn_pixels(features: Domain, levels: Sequence[Level], count: int, seed: int) -> Domain:
    """About `count` pixels of all pictures, each with its hypercolumn, its class and its picture as group.

    features: pictures as levels side by side (n × Σ c h w), with masks. Every picture gives as many, 50 at
    the most, and in a picture every class; each pixel weighs as the area that it stands for, so that sums
    over those drawn estimate sums over all, and a small object is not missed. Which ones are drawn depends
    on the mask and the seed, and on no other picture.

    >>> masks = torch.tensor([[[0, 0], [0, 1]]], dtype=torch.uint8)
    >>> from regraft.output import Mask
    >>> photo = Domain(torch.arange(4.0)[None], masks, output=Mask(("sky", "owl")))
    >>> drawn = drawn_pixels(photo, ((1, 2, 2),), count=20, seed=0)
    >>> drawn.classes.counts(drawn.labels), drawn.x[drawn.labels == 1].unique().tolist()
    (tensor([10, 10]), [3.0])
    >>> float(drawn.weight[drawn.labels == 1].sum() / drawn.weight.sum())
    0.25
    """
    assert isinstance(features.x, Tensor)
    each = min(MOST_EACH, math.ceil(count / max(1, len(features))))
    masks = features.labels
    picture, place, weight = list[Tensor](), list[Tensor](), list[Tensor]()
    for i, flat in enumerate(masks.flatten(1)):
        generator = torch.Generator().manual_seed(seed_of(seed, flat.numpy().tobytes()))
        present = [c for c in flat.unique().tolist() if c != VOID]
        for c in present:
            there = (flat == c).nonzero().squeeze(1)
            times = math.ceil(each / len(present))
            place.append(there[torch.randint(len(there), (times,), generator=generator)])
            picture.append(torch.full((times,), i))
            weight.append(torch.full((times,), len(there) / times / flat.numel()))
    group, places = torch.cat(picture), torch.cat(place)
    areas = torch.cat(weight)
    return Domain(
        hypercolumns(features.x, levels, group, places, (masks.shape[1], masks.shape[2])),
        masks.flatten(1)[group, places].long(),
        output=Classes(features.asked.names),
        weight=areas / areas.mean(),
        group=group,
    )


def hypercolumns(
    z: Float[Tensor, "n d"],
    levels: Sequence[Level],
    picture: Int[Tensor, " p"],
    place: Int[Tensor, " p"],
    size: tuple[int, int],
) -> Float[Tensor, "p c"]:
    """The values of all levels at pixels of pictures, bilinearly between the places of each level.

    place: positions in pictures of `size` (height, width), counted row by row.

    >>> z = torch.tensor([[0.0, 1.0]])  # one level of one row of two places
    >>> zero, one = torch.tensor([0, 0]), torch.tensor([1, 2])
    >>> hypercolumns(z, ((1, 1, 2),), zero, one, (1, 4)).squeeze(1).tolist()
    [0.25, 0.75]
    """
    height, width = size
    across = (place % width + 0.5) * 2 / width - 1
    down = (place // width + 0.5) * 2 / height - 1
    points = torch.stack([across, down], 1).to(z.dtype)
    maps = unpacked(z, levels)
    found = z.new_zeros(len(place), sum(c for c, _, _ in levels))
    for i in picture.unique().tolist():
        mine = picture == i
        grid = points[mine][None, :, None]
        columns = [
            grid_sample(level[i : i + 1], grid, align_corners=False, padding_mode="border")[0, :, :, 0]
            for level in maps
        ]
        found[mine] = torch.cat(columns).T
    return found
