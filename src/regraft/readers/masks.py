"""Pictures with a mask each, read into a domain."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

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
MOST_NAMES = 1 << 20  # bytes


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

    An image without a mask, or with one that cannot be read, is in `left_out`; masks of other images are
    passed over. InputError where there is no mask at all, or one of another size than its image, or with a
    value that no class has.

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
    inside = [folder.resolve() in path.resolve().parents for path in photos.x.paths]
    photos = photos[[not masked for masked in inside]]
    names, mask_of = photos.x.names(), _matched(photos, folder)
    if not mask_of:
        such = f" (such as {stem(names[0])}.png for {names[0]})" if names else ""
        raise InputError(
            f"{folder} has no mask for any image of {images}{such}: name every mask as its image"
        )
    maps = _read([mask_of.get(name) for name in names], progress)
    unusable = [
        (n, str(found)) for n, found in zip(names, maps, strict=True) if isinstance(found, Unreadable)
    ]
    read = {i: found for i, found in enumerate(maps) if isinstance(found, Tensor)}
    if not read:
        raise InputError(f"none of the masks of {folder} can be used ({unusable[0][0]}: {unusable[0][1]})")
    photos = photos[list(read)]
    of_each = dict(zip(photos.x.names(), read.values(), strict=True))
    _must_fit(of_each, photos.x.sizes())
    return photos.with_(
        y=torch.stack([at_points(found, side) for found in of_each.values()]),
        output=_classes(classes, folder, of_each),
        left_out=tuple(sorted([*photos.left_out, *unusable])),
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


def mask_stems(names: Sequence[str]) -> dict[str, str]:
    """The stem of each image's mask; InputError where two images would share one.

    >>> mask_stems(["wood/owl.jpg", "crow.png"])
    {'wood/owl.jpg': 'wood/owl', 'crow.png': 'crow'}
    """
    first: dict[str, str] = {}
    for name in names:
        if first.setdefault(stem(name), name) != name:
            raise InputError(
                f"{first[stem(name)]} and {name} would share one mask: give every image a name of its own"
            )
    return {name: own for own, name in first.items()}


def _matched(photos: Domain, folder: Path) -> dict[str, Path]:
    """The mask of each image that has one."""
    found = {stem(shown(name)): folder / name for name in listed(folder)[0] if name.lower().endswith(".png")}
    stems = mask_stems(photos.x.names())
    return {name: found[own] for name, own in stems.items() if own in found}


def _read(paths: Sequence[Path | None], progress: Progress | None) -> list[UInt8[Tensor, "h w"] | Unreadable]:
    """Each mask, or why there is none that could be used."""

    def attempt(path: Path | None) -> UInt8[Tensor, "h w"] | Unreadable:
        if path is None:
            return Unreadable("it has no mask")
        try:
            return label_map(read_file(path))
        except Unreadable as reason:
            return Unreadable(f"its mask cannot be used: {reason}")

    with (progress or Silent()).track("reading masks", len(paths)) as task:
        return in_threads(attempt, paths, task.advance)


def _must_fit(maps: dict[str, UInt8[Tensor, "h w"]], sizes: Sequence[tuple[int, int]]) -> None:
    """Raise InputError where a mask is not as large as its image."""
    for (name, found), (height, width) in zip(maps.items(), sizes, strict=True):
        if tuple(found.shape) != (height, width):
            raise InputError(
                f"the mask of {name} has {found.shape[1]}×{found.shape[0]} pixels and the image "
                f"{width}×{height}: give masks of the size of their images"
            )


def _classes(given: Sequence[str] | None, folder: Path, maps: dict[str, UInt8[Tensor, "h w"]]) -> Mask:
    """The classes by name; every value has to be one of them."""
    values = {name: found.unique().tolist() for name, found in maps.items()}
    seen = {value for some in values.values() for value in some}
    if seen <= {0, VOID} and VOID in seen:
        raise InputError(
            f"the masks of {folder} hold {' and '.join(map(str, sorted(seen)))} only, and {VOID} is void: "
            "write the object as 1"
        )
    if given is None and (folder / CLASSES_FILE).is_file():
        lines = read_file(folder / CLASSES_FILE, MOST_NAMES).decode("utf-8", errors="replace").splitlines()
        given = [line.strip() for line in lines if line.strip()]
    output = Mask(tuple(map(str, range(max(seen - {VOID}) + 1))) if given is None else tuple(given))
    for name, some in values.items():
        if wrong := [value for value in some if value >= output.width and value != VOID]:
            raise InputError(
                f"the mask of {name} holds {wrong[0]}, and there are {output.width} classes "
                f"({', '.join(output.names[:5])}{', …' * (output.width > 5)}): "
                f"name every value in {CLASSES_FILE}, or write {VOID} for void"
            )
    return output
