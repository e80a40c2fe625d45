"""The pictures that the built-in network learns from: printed glyphs, varied, and leaves to print them on.

    python scripts/glyph_pictures.py look.png    # 96 of them, to look at

Glyphs are rendered from the fonts that matplotlib carries; warps, strokes of other widths, low resolutions
and other greys stand in for the variety of handwriting, of which nothing is seen here. Most are printed on
leaves and filled with leaves, which stand in for the variety of photographs: overlapping shapes with
outlines, surfaces and shades of their own, of which each hides what lies behind it.
"""

import argparse
import math
import string
from pathlib import Path

import matplotlib
import torch
from jaxtyping import Float, UInt8
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageDraw, ImageFont
from torch import Generator, Tensor
from torch.nn.functional import (
    adaptive_avg_pool2d,
    affine_grid,
    avg_pool2d,
    grid_sample,
    interpolate,
    max_pool2d,
)

SIDE = 32  # pixels a side of what the network sees
DRAWN = 48  # of a rendered glyph
PRINTED = 0.6  # the share of glyphs that are printed on leaves
MOST_LEAVES = 24  # of a picture

LETTERS = string.digits + string.ascii_letters
SIGNS = "&?!$%#@+=*/<>()[]{}"
# Cropped and scaled to one size, these differ by nothing, or by nothing that survives a warp.
SAME = ("0Oo", "1lI", "Cc", "Kk", "Pp", "Ss", "Uu", "Vv", "Ww", "Xx", "Zz")
# Computer Modern keeps other signs at some code points, and the symbol font letters only in upper case.
FONTS = {
    "DejaVuSans": LETTERS + SIGNS,
    "DejaVuSans-Bold": LETTERS + SIGNS,
    "DejaVuSans-Oblique": LETTERS + SIGNS,
    "DejaVuSans-BoldOblique": LETTERS + SIGNS,
    "DejaVuSansMono": LETTERS + SIGNS,
    "DejaVuSansMono-Bold": LETTERS + SIGNS,
    "DejaVuSansMono-Oblique": LETTERS + SIGNS,
    "DejaVuSansMono-BoldOblique": LETTERS + SIGNS,
    "DejaVuSerif": LETTERS + SIGNS,
    "DejaVuSerif-Bold": LETTERS + SIGNS,
    "DejaVuSerif-Italic": LETTERS + SIGNS,
    "DejaVuSerif-BoldItalic": LETTERS + SIGNS,
    "STIXGeneral": LETTERS + SIGNS,
    "STIXGeneralBol": LETTERS + SIGNS,
    "STIXGeneralItalic": LETTERS + SIGNS,
    "STIXGeneralBolIta": LETTERS + SIGNS,
    "cmr10": LETTERS,
    "cmb10": LETTERS,
    "cmti10": LETTERS,
    "cmmi10": LETTERS,
    "cmsy10": string.ascii_uppercase,
}
HELD_OUT_FONTS = {"cmss10": LETTERS, "cmtt10": LETTERS}


def class_of(character: str) -> str:
    return next((group[0] for group in SAME if character in group), character)


def draw(character: str, font: ImageFont.FreeTypeFont) -> UInt8[Tensor, "side side"]:
    """The character in white on black, cropped, its longer side scaled to 4/5 of the picture, centred."""
    left, top, right, bottom = font.getbbox(character)
    ink = Image.new("L", (int(right - left), int(bottom - top)))
    ImageDraw.Draw(ink).text((-left, -top), character, 255, font=font)
    ink = ink.crop(ink.getbbox())
    scale = 0.8 * DRAWN / max(ink.size)
    width, height = (max(1, round(side * scale)) for side in ink.size)
    picture = Image.new("L", (DRAWN, DRAWN))
    picture.paste(
        ink.resize((width, height), Image.Resampling.BOX), ((DRAWN - width) // 2, (DRAWN - height) // 2)
    )
    return torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).view(DRAWN, DRAWN)


def render(fonts: dict[str, str]) -> tuple[UInt8[Tensor, "n side side"], list[str]]:
    """Every character of every font, and its class; characters that a font lacks are skipped."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    pictures, names = [], []
    for stem, characters in fonts.items():
        path = folder / f"{stem}.ttf"
        has, font = FT2Font(str(path)).get_charmap(), ImageFont.truetype(str(path), 96)
        for character in characters:
            if ord(character) in has:
                pictures.append(draw(character, font))
                names.append(class_of(character))
    return torch.stack(pictures), names


def vary(
    glyphs: UInt8[Tensor, "n side side"], leaves: UInt8[Tensor, "m 3 32 32"], rng: Generator
) -> UInt8[Tensor, "n 3 32 32"]:
    """Glyphs as if written, scanned and lit otherwise: some in greys, the others printed on leaves."""
    ink = written(glyphs, rng)
    grey, printed = greys(ink, rng).expand(-1, 3, -1, -1), prints(ink, leaves, rng)
    x = torch.where(uniform(rng, 0, 1, len(ink), 1, 1, 1) < PRINTED, printed, grey)
    return as_bytes(x)


def as_bytes(x: Float[Tensor, "n c h w"]) -> UInt8[Tensor, "n c h w"]:
    return (x.clamp(0, 1) * 255).round().to(torch.uint8)


def written(glyphs: UInt8[Tensor, "n side side"], rng: Generator) -> Float[Tensor, "n 1 32 32"]:
    """Where there is ink, from 0 to 1, after strokes, warps, occlusions and resolutions of many kinds."""
    x = strokes(glyphs[:, None].float() / 255, rng)
    x = grid_sample(x, warps(len(x), rng), align_corners=False)
    x = low_resolution(occlusions(x, rng).clamp(0, 1), rng).clamp(0, 1)
    return x / x.amax((2, 3), keepdim=True).clamp_min(0.1)


def strokes(x: Float[Tensor, "n 1 h w"], rng: Generator) -> Float[Tensor, "n 1 h w"]:
    """A quarter thicker, an eighth much thicker, an eighth thinner, an eighth softer, the rest as printed."""
    groups = list(x.tensor_split(8))  # the batch is drawn at random, so that its groups are random too
    groups[0], groups[1] = max_pool2d(groups[0], 3, 1, 1), max_pool2d(groups[1], 3, 1, 1)
    groups[2] = max_pool2d(groups[2], 5, 1, 2)
    # a tenth of the line stays, or hairlines would vanish
    groups[3] = 0.1 * groups[3] - 0.9 * max_pool2d(-groups[3], 3, 1, 1)
    groups[4] = avg_pool2d(groups[4], 3, 1, 1)
    return torch.cat(groups)


def warps(n: int, rng: Generator) -> Float[Tensor, "n 32 32 2"]:
    """Where each pixel is read: rotated, sheared, scaled, moved, and bent by two smooth random fields."""
    turn, shear = 0.3 * normal(rng, n), 0.3 * normal(rng, n)
    wide = uniform(rng, 0.85, 1.3, n) * torch.exp(-uniform(rng, 0, 0.4, n))
    tall = uniform(rng, 0.85, 1.3, n)
    cos, sin = turn.cos(), turn.sin()
    rows = torch.stack([cos / wide, (shear - sin) / wide, sin / tall, cos / tall], 1).view(n, 2, 2)
    read = affine_grid(
        torch.cat([rows, 0.12 * normal(rng, n, 2, 1)], 2), [n, 1, SIDE, SIDE], align_corners=False
    )
    for knots, size in ((3, 0.24), (5, 0.105)):
        bend = size * uniform(rng, 0, 1, n, 1, 1, 1) * normal(rng, n, 2, knots, knots)
        read = read + interpolate(bend, size=SIDE, mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
    return read


def occlusions(x: Float[Tensor, "n 1 32 32"], rng: Generator) -> Float[Tensor, "n 1 32 32"]:
    """One picture in ten loses a square."""
    n, line = len(x), torch.arange(float(SIDE))
    column, row, reach = (
        uniform(rng, 4, 28, n, 1, 1),
        uniform(rng, 4, 28, n, 1, 1),
        uniform(rng, 1.5, 4, n, 1, 1),
    )
    square = ((line - column).abs() < reach) & ((line[:, None] - row).abs() < reach)
    return x.masked_fill((square & (uniform(rng, 0, 1, n, 1, 1) < 0.1))[:, None], 0)


def low_resolution(x: Float[Tensor, "n 1 32 32"], rng: Generator) -> Float[Tensor, "n 1 32 32"]:
    """Half of the pictures down to a few pixels and up again."""
    n = len(x)
    order, start, seen = torch.randperm(n, generator=rng), 0, x.clone()
    for side, share in ((8, 0.25), (12, 0.1), (16, 0.15)):
        for mode in ("bilinear", "bicubic"):
            rows = order[start : start + round(n * share / 2)]
            start += len(rows)
            small = adaptive_avg_pool2d(x[rows], side)
            seen[rows] = interpolate(small, size=SIDE, mode=mode, align_corners=False)
    return seen


def greys(x: Float[Tensor, "n 1 32 32"], rng: Generator) -> Float[Tensor, "n 1 32 32"]:
    """Other contrasts, a shaded background, noise, and three in ten in black on white."""
    each = (len(x), 1, 1, 1)
    x = x ** torch.exp(0.3 * normal(rng, *each))
    pale = uniform(rng, 0, 1, *each) < 0.5
    ink = torch.where(pale, uniform(rng, 0.6, 1, *each), torch.ones(each))
    shade = uniform(rng, 0, 0.5, *each) * (uniform(rng, 0, 1, *each) < 0.4)
    ground = shade * interpolate(
        uniform(rng, 0, 1, len(x), 1, 2, 2), size=SIDE, mode="bilinear", align_corners=True
    )
    x = ground + x * (ink - ground).clamp_min(0.25)
    grain = uniform(rng, 0, 0.12, *each) * (uniform(rng, 0, 1, *each) < 0.4)
    x = (x + grain * normal(rng, *x.shape)).clamp(0, 1)
    return torch.where(uniform(rng, 0, 1, *each) < 0.3, 1 - x, x)


def prints(
    ink: Float[Tensor, "n 1 32 32"], leaves: UInt8[Tensor, "m 3 32 32"], rng: Generator
) -> Float[Tensor, "n 3 32 32"]:
    """Ink with the surface of a picture, on another one; of each is left from all to its mean colour."""

    def surface() -> Float[Tensor, "n 3 32 32"]:
        seen = leaves[torch.randint(len(leaves), (len(ink),), generator=rng)].float() / 255
        colour = seen.mean((2, 3), keepdim=True)
        return colour + uniform(rng, 0, 1, len(ink), 1, 1, 1) * (seen - colour)

    ground = surface()
    return ground + ink * (surface() - ground)


def render_leaves(n: int, rng: Generator) -> UInt8[Tensor, "n 3 32 32"]:
    """Pictures of leaves that lie on each other, from far to near (Lee, Mumford and Huang, IJCV 2001).

    Sizes follow a power law, and each leaf has an outline, a surface of two colours and a shade. Networks
    learn to see from such pictures alone (Baradad et al., NeurIPS 2021, arXiv:2106.05963).
    """
    line = (torch.arange(SIDE) + 0.5) / SIDE * 2 - 1
    down, right = torch.meshgrid(line, line, indexing="ij")
    hue, varied = uniform(rng, 0, 1, n), uniform(rng, 0.03, 0.5, n)  # of a picture

    def colours() -> Float[Tensor, "n 3 1 1"]:
        hues = (hue + varied * normal(rng, n)) % 1
        return of_hues(hues, uniform(rng, 0, 0.9, n) ** 1.3, uniform(rng, 0.1, 1, n))[:, :, None, None]

    def turned(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        angle = uniform(rng, 0, math.pi, n, 1, 1)
        return x * angle.cos() + y * angle.sin(), y * angle.cos() - x * angle.sin()

    x = colours() + 0.15 * clouds(n, rng)[:, None]
    leaves = torch.randint(1, MOST_LEAVES, (n, 1, 1, 1), generator=rng)
    for leaf in range(MOST_LEAVES):
        a, b = right - uniform(rng, -1.1, 1.1, n, 1, 1), down - uniform(rng, -1.1, 1.1, n, 1, 1)
        size = (0.12 * 0.98**leaf * uniform(rng, 0, 1, n, 1, 1) ** -0.5).clamp(0.08, 1.1)
        inside = ((size - distances(*turned(a, b), rng)) * SIDE / 4 + 0.5).clamp(0, 1)
        along, across = turned(a, b)
        second = uniform(rng, 0, 1, n, 1, 1, 1) * textures(along, across, rng)[:, None]
        shade = uniform(rng, -0.35, 0.35, n, 1, 1) * along / size
        surface = torch.lerp(colours(), colours(), second) + shade[:, None]
        x = torch.lerp(x, surface, inside[:, None] * (leaf < leaves))
    lit = x * (1 + 0.15 * clouds(n, rng)[:, None])
    return as_bytes(lit + uniform(rng, 0, 0.04, n, 1, 1, 1) * normal(rng, n, 3, SIDE, SIDE))


def distances(
    a: Float[Tensor, "n 32 32"], b: Float[Tensor, "n 32 32"], rng: Generator
) -> Float[Tensor, "n 32 32"]:
    """From the middle of a leaf: half of them are rounded boxes, the others have lobes."""
    n = len(a)
    stretch = torch.exp(0.25 * normal(rng, n, 1, 1))
    a, b = a * stretch, b / stretch
    power = torch.exp(uniform(rng, 0.2, 2.2, n, 1, 1))
    box = (a.abs() ** power + b.abs() ** power + 1e-9) ** (1 / power)
    lobes = torch.randint(2, 8, (n, 1, 1), generator=rng)
    depth = uniform(rng, 0, 0.5, n, 1, 1) * (uniform(rng, 0, 1, n, 1, 1) < 0.5)
    lobed = (a.square() + b.square()).sqrt() / (1 + depth * torch.cos(lobes * torch.atan2(b, a)))
    return torch.where(uniform(rng, 0, 1, n, 1, 1) < 0.5, box, lobed)


def textures(
    a: Float[Tensor, "n 32 32"], b: Float[Tensor, "n 32 32"], rng: Generator
) -> Float[Tensor, "n 32 32"]:
    """From 0 to 1: plain, stripes, checks, rings or clouds."""
    n = len(a)
    fine, start = torch.exp(uniform(rng, 1.2, 3.6, n, 1, 1)), uniform(rng, 0, 2 * math.pi, n, 1, 1)
    stripes = torch.sin(fine * a + start)
    rings = torch.sin(1.5 * fine * (a.square() + b.square()).sqrt())
    kinds = torch.stack([0 * a - 1, stripes, stripes * torch.sin(fine * b), rings, clouds(n, rng)])
    chosen = kinds[torch.randint(len(kinds), (n,), generator=rng), torch.arange(n)]
    return (0.5 + 0.5 * chosen).clamp(0, 1)


def clouds(n: int, rng: Generator) -> Float[Tensor, "n 32 32"]:
    """Smooth noise of all scales, with a standard deviation of 1."""
    rough, x = uniform(rng, 0.4, 1, n, 1, 1, 1), torch.zeros(n, 1, SIDE, SIDE)
    for level, knots in enumerate((2, 4, 8, 16, 32)):
        noise = interpolate(normal(rng, n, 1, knots, knots), size=SIDE, mode="bicubic", align_corners=False)
        x = x + rough**level * noise
    return (x / x.std((2, 3), keepdim=True))[:, 0]


def of_hues(
    hue: Float[Tensor, " n"], saturation: Float[Tensor, " n"], value: Float[Tensor, " n"]
) -> Float[Tensor, "n 3"]:
    """Red, green and blue of colours, all from 0 to 1."""
    k = (torch.tensor([5.0, 3.0, 1.0]) + 6 * hue[:, None]) % 6
    return value[:, None] * (1 - saturation[:, None] * torch.minimum(k, 4 - k).clamp(0, 1))


def uniform(rng: Generator, low: float, high: float, *shape: int) -> Tensor:
    return low + (high - low) * torch.rand(shape, generator=rng)


def normal(rng: Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=rng)


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw 96 of the pictures that the network learns from.")
    parser.add_argument("picture", type=Path)
    options = parser.parse_args()
    rng = Generator().manual_seed(0)
    glyphs, leaves = render(FONTS)[0], render_leaves(100, rng)
    x = vary(glyphs[torch.randint(len(glyphs), (96,), generator=rng)], leaves, rng)
    sheet = x.view(8, 12, 3, SIDE, SIDE).permute(0, 3, 1, 4, 2).reshape(8 * SIDE, 12 * SIDE, 3)
    Image.fromarray(sheet.numpy()).resize((36 * SIDE, 24 * SIDE), Image.Resampling.NEAREST).save(
        options.picture
    )


if __name__ == "__main__":
    main()
