"""Pictures of shapes on clutter with exact masks, drawn by a seed.

Colours and textures are drawn for every shape, stroke and background from one distribution, so that no colour
tells a class: a disc, a square or a triangle is known by its outline.
"""

import math

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

CLASSES = ("background", "disc", "square", "triangle")
MOST = 3  # shapes in a picture
FINER = 8  # cells of a texture a side, at the most


def shapes(count: int, seed: int, side: int = 64) -> tuple[Tensor, Tensor]:
    """(pictures n × s × s × 3, masks n × s × s), uint8: one to three shapes each, the later ones in front."""
    luck = np.random.default_rng(seed)
    pictures = np.zeros((count, side, side, 3), np.uint8)
    masks = np.zeros((count, side, side), np.uint8)
    for picture, mask in zip(pictures, masks, strict=True):
        picture[:] = clutter(side, luck)
        for _ in range(luck.integers(1, MOST + 1)):
            kind = int(luck.integers(1, len(CLASSES)))
            there = outline(CLASSES[kind], side, luck)
            picture[there] = texture(side, luck)[there]
            mask[there] = kind
    return torch.from_numpy(pictures), torch.from_numpy(masks)


def texture(side: int, luck: np.random.Generator) -> np.ndarray:
    """A smooth mixture of random colours."""
    cells = int(luck.integers(2, FINER + 1))
    colours = luck.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
    base, share = luck.integers(0, 256, 3), luck.uniform(0.2, 0.6)
    mixed = Image.fromarray(colours).resize((side, side), Image.Resampling.BICUBIC)
    return ((1 - share) * base + share * np.asarray(mixed)).astype(np.uint8)


def clutter(side: int, luck: np.random.Generator) -> np.ndarray:
    """A texture with strokes of other textures across it."""
    ground = texture(side, luck)
    for _ in range(luck.integers(2, 6)):
        strokes = Image.new("1", (side, side))
        ends = luck.uniform(-0.2, 1.2, (2, 2)) * side
        ImageDraw.Draw(strokes).line([tuple(end) for end in ends.tolist()], 1, int(luck.integers(1, 4)))
        there = np.asarray(strokes)
        ground[there] = texture(side, luck)[there]
    return ground


def outline(name: str, side: int, luck: np.random.Generator) -> np.ndarray:
    """The pixels of a disc, a square or a triangle of any place, size and turn."""
    radius = luck.uniform(0.14, 0.28) * side
    x, y = luck.uniform(radius * 0.8, side - radius * 0.8, 2)
    corners = {"disc": 48, "square": 4, "triangle": 3}[name]
    start = luck.uniform(0, 2 * math.pi)
    turns = [start + 2 * math.pi * i / corners for i in range(corners)]
    canvas = Image.new("1", (side, side))
    ImageDraw.Draw(canvas).polygon([(x + radius * math.cos(t), y + radius * math.sin(t)) for t in turns], 1)
    return np.asarray(canvas)
