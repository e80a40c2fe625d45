"""Pictures with a mask each, read into a domain."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor

from ..domain import Domain
from ..errors import InputError
from ..output.mask import VOID, Mask
from ..progress import Progress, Silent
from .decoding import Unreadable, in_threads, read_file
from .folders import listed, shown
from .images import ImageFiles, read_images
from .label_maps import label_map
from .labels import key

SIDE = 128
CLASSES_FILE = "classes.txt"


def read_masks(
    images: str | Path,
    masks: str | Path,
    *,
    classes: Sequence[str] | None = None,
    side: int = SIDE,
    group: str | None = None,
    progress: Progress | None = None,
) -> Domain:
    """The images of a folder, each with the mask of its name: the class of every pixel.

    images: a folder, with or without sub-folders. masks: a folder with a PNG of the same relative path and
    stem for each image (a.jpg and a.png), as large as the image; its values, grey levels or positions in a
    palette, are classes, and 255 is void: pixels that nobody judges.
    classes: the names of the values 0, 1, …; without them the lines of classes.txt in the folder of masks,
    and without such a file the numbers themselves.
    side: masks are looked up at side × side points, the centres of equal parts of the picture, which is as it
    is squashed for a network: every picture counts alike. group: as in `read_images`.

    An image without a mask, and a mask that cannot be read, are in `left_out`. InputError for a mask without
    an image, of another size than its image, or with a value that no class has.

    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> with TemporaryDirectory() as folder:
    ...     photos, drawn = Path(folder, "photos"), Path(folder, "masks")
    ...     photos.mkdir(), drawn.mkdir()
    ...     Image.new("RGB", (6, 4)).save(photos / "owl.jpg")
    ...     Image.linear_gradient("L").resize((6, 4)).point(lambda v: v // 128).save(drawn / "owl.png")
    ...     birds = read_masks(photos, drawn, classes=["background", "owl"], side=4)
    (None, None)
    >>> birds.y[0, :, 0].tolist(), birds.output.names
    ([0, 0, 1, 1], ('background', 'owl'))
    """
    folder = Path(masks)
    photos = read_images(images, labelled=False, group=group, progress=progress)
    assert isinstance(photos.x, ImageFiles)
    outside = [i for i, path in enumerate(photos.x.paths) if folder.resolve() not in path.resolve().parents]
    photos = photos[outside]
    mask_of = _matched(photos, folder)
    missing = [(name, f"no mask {stem(name)}.png") for name in photos.x.names() if name not in mask_of]
    if not mask_of:
        raise InputError(
            f"{folder} has no mask for any image of {images} (such as {missing[0][1].removeprefix('no mask ')} "
            f"for {missing[0][0]}): name every mask as its image"
        )
    photos = photos[[i for i, name in enumerate(photos.x.names()) if name in mask_of]]
    names = photos.x.names()
    maps = _read([mask_of[name] for name in names], progress)
    broken = [
        (name, f"its mask cannot be used: {found}")
        for name, found in zip(names, maps, strict=True)
        if isinstance(found, Unreadable)
    ]
    kept = [i for i, found in enumerate(maps) if isinstance(found, Tensor)]
    if not kept:
        raise InputError(f"none of the masks of {folder} can be read ({broken[0][0]}: {broken[0][1]})")
    photos, names = photos[kept], [names[i] for i in kept]
    read = [found for found in maps if isinstance(found, Tensor)]
    for name, size, found in zip(names, photos.x.sizes(), read, strict=True):
        if tuple(found.shape) != size:
            raise InputError(
                f"the mask of {name} is {found.shape[1]}×{found.shape[0]} and the image {size[1]}×{size[0]} "
                "pixels: give masks of the size of their images"
            )
    output = _classes(classes, folder, names, read)
    return photos.with_(
        y=torch.stack([at_points(found, side) for found in read]),
        output=output,
        left_out=tuple(sorted([*photos.left_out, *missing, *broken])),
    )


def at_points(found: UInt8[Tensor, "h w"], side: int) -> UInt8[Tensor, "s s"]:
    """The values at the centres of side × side equal parts: what squashing does to a picture, of no mixture.

    >>> at_points(torch.tensor([[1, 2], [3, 4]], dtype=torch.uint8), 4)[0].tolist()
    [1, 1, 2, 2]
    """
    rows, columns = (((torch.arange(side) + 0.5) * n / side).long() for n in found.shape)
    return found[rows[:, None], columns]


def stem(name: str) -> str:
    """A relative path without its extension, in one Unicode form."""
    return key(str(PurePosixPath(name).with_suffix("")))


def _matched(photos: Domain, folder: Path) -> dict[str, Path]:
    """The mask of each image that has one."""
    found = {stem(name): folder / name for name in listed(folder)[0] if name.lower().endswith(".png")}
    known: dict[str, str] = {}
    for name in photos.x.names():
        if known.setdefault(stem(name), name) != name:
            raise InputError(
                f"{known[stem(name)]} and {name} would share one mask: give every image a name of its own"
            )
    unread = {stem(name) for name, _ in photos.left_out}
    if alone := sorted(set(found) - set(known) - unread):
        raise InputError(
            f"{len(alone)} masks of {folder} have no image, first {shown(alone[0])}.png: "
            "name every mask as its image, with the same sub-folders"
        )
    return {name: found[stem(name)] for name in photos.x.names() if stem(name) in found}


def _read(paths: Sequence[Path], progress: Progress | None) -> list[UInt8[Tensor, "h w"] | Unreadable]:
    def attempt(path: Path) -> Any:
        try:
            return label_map(read_file(path))
        except Unreadable as reason:
            return reason

    with (progress or Silent()).track("reading masks", len(paths)) as task:
        return in_threads(attempt, paths, task.advance)


def _classes(
    given: Sequence[str] | None, folder: Path, names: Sequence[str], maps: Sequence[UInt8[Tensor, "h w"]]
) -> Mask:
    """The classes, which every value has to be one of."""
    values = [found.unique().tolist() for found in maps]
    highest = max((v for some in values for v in some if v != VOID), default=0)
    file = folder / CLASSES_FILE
    if given is None and file.is_file():
        lines = read_file(file, 1 << 20).decode("utf-8", errors="replace").splitlines()
        given = [line.strip() for line in lines if line.strip()]
    output = Mask(tuple(given if given is not None else map(str, range(highest + 1))))
    if highest == 0 and any(VOID in some for some in values):
        raise InputError(
            f"the masks of {folder} hold 0 and {VOID} only, and {VOID} is void: write the object as 1"
        )
    for name, some in zip(names, values, strict=True):
        if wrong := [v for v in some if v >= output.width and v != VOID]:
            raise InputError(
                f"the mask of {name} holds {wrong[0]}, and there are {output.width} classes "
                f"({', '.join(output.names[:5])}{', …' * (output.width > 5)}): "
                f"name every value in {CLASSES_FILE}, or write {VOID} for void"
            )
    return output
