"""Pretrain the built-in network on printed glyphs, and write its weights and what they were trained on.

    python scripts/pretrain_glyphs.py            # trains on two threads and writes the shipped files
    python scripts/pretrain_glyphs.py --check    # trains again and compares with the shipped files

Glyphs are rendered from the fonts that matplotlib carries; warps, strokes of other widths, low
resolutions and other greys stand in for the variety of handwriting, of which nothing is seen here. The same
machine, build of torch and number of threads give the same bytes.
"""

import argparse
import json
import math
import string
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import PIL
import torch
from jaxtyping import Float, Int, UInt8
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageDraw, ImageFont
from safetensors.torch import load_file, save_file
from torch import Generator, Tensor, nn
from torch.nn.functional import (
    adaptive_avg_pool2d,
    affine_grid,
    avg_pool2d,
    cross_entropy,
    grid_sample,
    interpolate,
    max_pool2d,
)

from regraft.backbone import Backbone
from regraft.backbones.glyphs import LICENCE, SOURCE, WIDTH, rebuild_glyphs

WEIGHTS = Path(__file__).resolve().parents[1] / "src/regraft/backbones/weights/glyphs.safetensors"
THREADS = 2
STEPS = 4000
BATCH = 96
LEARNING_RATE = 1e-2
WEIGHT_DECAY = 0.05
DRAWN = 48  # pixels a side of a rendered glyph; the network sees 32

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


def vary(glyphs: UInt8[Tensor, "n side side"], rng: Generator) -> UInt8[Tensor, "n 1 32 32"]:
    """Glyphs as if written, scanned and lit otherwise."""
    x = strokes(glyphs[:, None].float() / 255, rng)
    x = grid_sample(x, warps(len(x), rng), align_corners=False)
    x = low_resolution(occlusions(x, rng).clamp(0, 1), rng).clamp(0, 1)
    x = x / x.amax((2, 3), keepdim=True).clamp_min(0.1)
    return (greys(x, rng) * 255).round().to(torch.uint8)


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
    read = affine_grid(torch.cat([rows, 0.12 * normal(rng, n, 2, 1)], 2), [n, 1, 32, 32], align_corners=False)
    for knots, size in ((3, 0.24), (5, 0.105)):
        bend = size * uniform(rng, 0, 1, n, 1, 1, 1) * normal(rng, n, 2, knots, knots)
        read = read + interpolate(bend, size=32, mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
    return read


def occlusions(x: Float[Tensor, "n 1 32 32"], rng: Generator) -> Float[Tensor, "n 1 32 32"]:
    """One picture in ten loses a square."""
    n, line = len(x), torch.arange(32.0)
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
            seen[rows] = interpolate(small, size=32, mode=mode, align_corners=False)
    return seen


def greys(x: Float[Tensor, "n 1 32 32"], rng: Generator) -> Float[Tensor, "n 1 32 32"]:
    """Other contrasts, a shaded background, noise, and three in ten in black on white."""
    each = (len(x), 1, 1, 1)
    x = x ** torch.exp(0.3 * normal(rng, *each))
    pale = uniform(rng, 0, 1, *each) < 0.5
    ink = torch.where(pale, uniform(rng, 0.6, 1, *each), torch.ones(each))
    shade = uniform(rng, 0, 0.5, *each) * (uniform(rng, 0, 1, *each) < 0.4)
    ground = shade * interpolate(
        uniform(rng, 0, 1, len(x), 1, 2, 2), size=32, mode="bilinear", align_corners=True
    )
    x = ground + x * (ink - ground).clamp_min(0.25)
    grain = uniform(rng, 0, 0.12, *each) * (uniform(rng, 0, 1, *each) < 0.4)
    x = (x + grain * normal(rng, *x.shape)).clamp(0, 1)
    return torch.where(uniform(rng, 0, 1, *each) < 0.3, 1 - x, x)


def uniform(rng: Generator, low: float, high: float, *shape: int) -> Tensor:
    return low + (high - low) * torch.rand(shape, generator=rng)


def normal(rng: Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=rng)


def pretrain(seed: int, steps: int) -> tuple[Backbone, dict[str, Any]]:
    """Cross-entropy over the classes, every class as often; and what the run was."""
    pictures, names = render(FONTS)
    classes = sorted(set(names))
    y = torch.tensor([classes.index(name) for name in names])
    rng = Generator().manual_seed(seed)
    torch.manual_seed(seed)
    backbone = rebuild_glyphs().to(memory_format=torch.channels_last).train()
    head = nn.Linear(8 * WIDTH, len(classes))
    parameters = [*backbone.parameters(), *head.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, LEARNING_RATE, total_steps=steps, pct_start=0.25
    )
    started, running = time.monotonic(), math.log(len(classes))
    for step, rows in enumerate(batches(y, steps, rng), start=1):
        loss = cross_entropy(head(backbone(vary(pictures[rows], rng))), y[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        running += (loss.item() - running) / 20
        if step % max(1, steps // 20) == 0:
            print(
                f"step {step} of {steps}, loss {running:.2f}, {time.monotonic() - started:.0f} s", flush=True
            )
    accuracy = accuracy_on(HELD_OUT_FONTS, backbone.eval(), head, classes, rng)
    print(f"accuracy on fonts held out ({', '.join(HELD_OUT_FONTS)}), varied likewise: {accuracy:.3f}")
    return backbone, described(seed, steps, classes, len(pictures), accuracy)


def batches(y: Int[Tensor, " n"], steps: int, rng: Generator) -> Iterator[Int[Tensor, " b"]]:
    """Rows at random, each class with the same probability."""
    weight = torch.bincount(y).float()[y].reciprocal()
    for _ in range(steps):
        yield torch.multinomial(weight, BATCH, replacement=True, generator=rng)


@torch.no_grad()
def accuracy_on(
    fonts: dict[str, str], backbone: Backbone, head: nn.Module, classes: list[str], rng: Generator
) -> float:
    """Of the classifier on ten variations of every glyph of these fonts."""
    pictures, names = render(fonts)
    y = torch.tensor([classes.index(name) for name in names])
    # variations depend on the place in the batch, so every glyph meets all kinds
    orders = [torch.randperm(len(y), generator=rng) for _ in range(10)]
    hits = [head(backbone(vary(pictures[rows], rng))).argmax(1) == y[rows] for rows in orders]
    return torch.cat(hits).float().mean().item()


def described(seed: int, steps: int, classes: list[str], glyphs: int, accuracy: float) -> dict[str, Any]:
    """What the weights are and where they come from."""
    return {
        "name": "glyphs",
        "source": SOURCE,
        "licence": LICENCE,
        "preprocessing": rebuild_glyphs().preprocessing.to_json(),
        "glyphs": glyphs,
        "fonts": list(FONTS),
        "fonts_held_out": list(HELD_OUT_FONTS),
        "accuracy_on_fonts_held_out": round(accuracy, 4),
        "classes": classes,
        "merged": list(SAME),
        "seed": seed,
        "steps": steps,
        "batch_size": BATCH,
        "learning_rate": LEARNING_RATE,
        "weight_decay": WEIGHT_DECAY,
        "optimiser": "AdamW, one cycle",
        "threads": torch.get_num_threads(),
        "versions": {
            "torch": torch.__version__,
            "matplotlib": matplotlib.__version__,
            "pillow": PIL.__version__,
        },
    }


def stored(backbone: Backbone) -> dict[str, Tensor]:
    """Kernels in half precision; the few other numbers as they are."""
    state = backbone.state_dict()
    return {k: (t.half() if t.ndim > 1 else t).contiguous() for k, t in state.items()}


def largest_difference(weights: dict[str, Tensor], shipped: dict[str, Tensor]) -> float:
    if weights.keys() != shipped.keys():
        return float("inf")
    return max((t.double() - shipped[k].double()).abs().max().item() for k, t in weights.items())


def main() -> None:
    parser = argparse.ArgumentParser(description="Pretrain the built-in network on printed glyphs.")
    parser.add_argument(
        "--out", type=Path, default=WEIGHTS, help="the .safetensors file; a .json goes beside it"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--check", action="store_true", help="write nothing: compare with the file at --out")
    options = parser.parse_args()
    torch.set_num_threads(THREADS)
    torch.use_deterministic_algorithms(True)
    backbone, description = pretrain(options.seed, options.steps)
    if options.check:
        gap = largest_difference(stored(backbone), load_file(options.out))
        print(f"largest difference from {options.out.name}: {gap:.2g}")
        return
    options.out.parent.mkdir(parents=True, exist_ok=True)
    save_file(stored(backbone), options.out)
    text = json.dumps(description, indent=2, ensure_ascii=False)
    options.out.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    print(f"wrote {options.out.name}: {options.out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
