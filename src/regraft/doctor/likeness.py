"""Pictures that show the same: re-encoded, resized, mirrored, a little cropped, lighter or darker."""

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor
from torch.nn.functional import interpolate, normalize

COARSE, FINE = 8, 12  # pixels a side: to look for candidates, and to compare them
CANDIDATE = (
    0.9  # correlation of coarse pixels; every re-encoded, resized or mirrored copy of 1,597 photos has 0.95
)
ALIKE = 0.97  # aligned correlation: halfway from the most alike of different ants and bees (0.94) to 1
STANDS_OUT = 0.05  # a copy differs at most by this share of what the crowd differs by
CROWD = 10  # the neighbour that is no copy any more
NEAREST = 5  # neighbours of each picture that are compared
BLOCK = 1024  # pictures, and pairs, looked at together


def near_copies(thumbnails: UInt8[Tensor, "n 3 h w"]) -> Int[Tensor, "m 2"]:
    """Pairs of pictures that show the same, as far as thumbnails tell: (row, row), the smaller one first.

    A pair is near if `aligned_correlation` of its fine pixels, one of them mirrored where that is closer, is
    at least `ALIKE`, and if 1 − that is at most a twentieth of 1 − the coarse correlation with the tenth
    nearest picture. The second condition keeps apart what is simply much alike: of 20 to 200 handwritten
    digits less than 1 % are in a pair; at a tenth it would be 5 %. It is paid for by copies that are cropped,
    and by pictures of which there are more than ten copies, unless they are equal byte for byte.

    Only the five nearest of each picture are compared, so the memory is linear in n, and the time that is
    quadratic is a product of matrices with 192 columns: 10,000 pictures take seconds. How many copies of
    which kind are found is measured by `benchmarks/duplicates.py`. Pixels find more of them than the features
    of a network, which change with the quality of a JPEG more than with the subject (measured there too).

    >>> x, y, channel = torch.arange(32.0), torch.arange(32.0)[:, None], torch.arange(3)[:, None, None]
    >>> photo = 120 + 100 * (y / 3 + x / (4 + channel)).sin()[None]
    >>> pictures = torch.cat([photo, (0.8 * photo).flip(3), torch.rand(1, 3, 32, 32) * 255]).byte()
    >>> near_copies(pictures).tolist()
    [[0, 1]]
    """
    n = len(thumbnails)
    if n < 2:
        return torch.empty(0, 2, dtype=torch.long)
    pairs, mirrored, crowd = _candidates(_scaled(thumbnails, COARSE))
    fine = _scaled(thumbnails, FINE)
    alike = torch.cat(
        [
            aligned_correlation(fine[i], torch.where(flip[:, None, None, None], fine[j].flip(3), fine[j]))
            for (i, j), flip in zip(
                (part.unbind(1) for part in pairs.split(BLOCK)), mirrored.split(BLOCK), strict=True
            )
        ]
        or [torch.empty(0)]
    )
    room = STANDS_OUT * (1 - crowd[pairs].amax(1))
    return pairs[(alike >= ALIKE) & (1 - alike <= room)]


def aligned_correlation(a: Float[Tensor, "m c s s"], b: Float[Tensor, "m c s s"]) -> Float[Tensor, " m"]:
    """The multiple correlation of one picture with the other, its small shifts and its small stretches.

    R of the regression b ~ 1, a, ∂a/∂x, ∂a/∂y, x ∂a/∂x, y ∂a/∂y, to first order the correlation of b with
    the best of a's shifted and stretched versions (Lucas & Kanade, 1981); the smaller of R for a → b and
    b → a. Contrast and brightness do not count.

    >>> a = torch.rand(1, 3, 12, 12)
    >>> round(float(aligned_correlation(a, 30 + 0.5 * a)), 4)
    1.0
    """
    return torch.minimum(_explained(a, b), _explained(b, a)).sqrt()


def _candidates(
    pictures: Float[Tensor, "n 3 s s"],
) -> tuple[Int[Tensor, "m 2"], Bool[Tensor, " m"], Float[Tensor, " n"]]:
    """(pairs that may be near, whether one of the two is mirrored, how near the crowd is to each picture)."""
    n = len(pictures)
    plain, mirrored = _unit(pictures), _unit(pictures.flip(3))
    found, flips, crowds = [], [], []
    for rows in torch.arange(n).split(BLOCK):
        straight, reversed_ = plain[rows] @ plain.T, plain[rows] @ mirrored.T
        near = torch.maximum(straight, reversed_)
        near[torch.arange(len(rows)), rows] = -1.0  # nothing is its own copy
        values, columns = near.topk(min(CROWD, max(2, n // 2), n), dim=1)
        crowds.append(values[:, -1])
        here, place = (values[:, :NEAREST] >= CANDIDATE).nonzero().unbind(1)
        other = columns[here, place]
        found.append(torch.stack([rows[here], other], 1))
        flips.append(reversed_[here, other] > straight[here, other])
    pairs, flip = torch.cat(found).sort(dim=1).values, torch.cat(flips)
    pairs, position = pairs.unique(dim=0, return_inverse=True)
    told = torch.zeros(len(pairs), dtype=torch.bool)
    told[position] = flip
    return pairs, told, torch.cat(crowds)


def _explained(a: Float[Tensor, "m c s s"], b: Float[Tensor, "m c s s"]) -> Float[Tensor, " m"]:
    """R²: the share of b's variance that is a, shifted and stretched; 0 where there is none."""
    across = torch.linspace(-1, 1, a.shape[-1])
    dy, dx = torch.gradient(a, dim=(2, 3))
    columns = torch.stack([a, dx, dy, dx * across, dy * across[:, None]], dim=-1).double()
    columns = (columns - columns.mean((1, 2, 3), keepdim=True)).flatten(1, 3)
    columns = normalize(columns, dim=1)
    target = _unit(b).double()[:, :, None]
    gram, along = columns.mT @ columns, columns.mT @ target
    # a hair of ridge: a picture of one colour, or of stripes, has columns of zeros
    solution = torch.linalg.solve(gram + 1e-9 * torch.eye(gram.shape[-1], dtype=gram.dtype), along)
    explained: Tensor = (along * solution).sum((1, 2)).clamp(0, 1).float()
    return explained


def _scaled(pictures: UInt8[Tensor, "n 3 h w"], size: int) -> Float[Tensor, "n 3 s s"]:
    return torch.cat(
        [interpolate(part.float(), size=(size, size), mode="area") for part in pictures.split(BLOCK)]
    )


def _unit(pictures: Float[Tensor, "n 3 s s"]) -> Float[Tensor, "n d"]:
    """Without their mean and of length 1, so that products are correlations; all zeros for one colour."""
    centred = pictures - pictures.mean((1, 2, 3), keepdim=True)
    return normalize(centred.flatten(1), dim=1)
