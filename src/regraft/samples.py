"""What a domain's x may be: a tensor, or anything with `len` and `[rows]`."""

import hashlib
from typing import Any, Protocol, runtime_checkable

import numpy as np
import scipy.sparse
import torch
from jaxtyping import Int
from torch import Tensor

from .errors import InputError


@runtime_checkable
class Samples(Protocol):
    """Samples that are not in a tensor: files, texts, columns of a table."""

    @property
    def kind(self) -> str:
        """What they are: "images", "table", "texts" or "sparse"."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Int[Tensor, " m"]) -> "Samples": ...

    def digests(self) -> list[bytes]:
        """A hash of each sample's own bytes."""
        ...

    def names(self) -> list[str]:
        """What a person calls each sample."""
        ...


def as_samples(x: Any) -> Tensor | Samples:
    """Arrays and tensors as a tensor, strings as texts, other samples as they are."""
    if isinstance(x, Tensor):
        return x.detach()
    if isinstance(x, Samples):
        return x
    if (strings := _strings(x)) is not None:
        from .readers.texts import Texts

        return Texts(strings)
    if scipy.sparse.issparse(x):
        from .sparse import SparseRows

        return SparseRows(x)
    try:
        array = np.asarray(x)
        if array.dtype == object:
            array = array.astype(np.float64)
        return torch.from_numpy(np.ascontiguousarray(array).copy())
    except (TypeError, ValueError) as reason:
        raise InputError(
            f"x of type {type(x).__name__} is neither a numeric array nor samples that Regraft knows "
            "(read_images, read_table, read_texts): pass an array of numbers, one row a sample"
        ) from reason


def _strings(x: Any) -> tuple[str, ...] | None:
    """The strings that a list, a column or an array of nothing else holds."""
    if getattr(getattr(x, "dtype", None), "kind", "O") not in "OU":
        return None  # numbers, of which there may be many
    listed = x.tolist() if hasattr(x, "tolist") else x
    if isinstance(listed, list | tuple) and listed and all(isinstance(one, str) for one in listed):
        return tuple(listed)
    return None


def digests(x: Tensor | Samples) -> list[bytes]:
    """A hash of each sample's own bytes, 16 bytes long; of numbers with a point, in double precision."""
    if not isinstance(x, Tensor):
        return x.digests()
    floating = x.is_floating_point()
    head = f"{torch.float64 if floating else x.dtype}{tuple(x.shape[1:])}".encode()
    flat = x.contiguous().reshape(len(x), -1) if x.numel() else x.new_empty(len(x), 0)
    rows = (row.double() if floating else row.view(torch.uint8) for row in flat)
    return [hashlib.blake2b(head + row.numpy().tobytes(), digest_size=16).digest() for row in rows]


def sample_names(x: Tensor | Samples) -> list[str]:
    return [str(i) for i in range(len(x))] if isinstance(x, Tensor) else x.names()


def kind_of(x: Tensor | Samples) -> str:
    """What the samples are: "images", "vectors", "sparse" (vectors), "table" or "texts".

    >>> kind_of(torch.zeros(3, 8)), kind_of(torch.zeros(3, 8, 8, dtype=torch.uint8))
    ('vectors', 'images')
    """
    if isinstance(x, Tensor):
        return "images" if is_images(x) else "vectors"
    return x.kind


def sizes_of(x: Tensor | Samples) -> list[tuple[int, int]]:
    """Height and width of every picture; InputError for samples that are none.

    >>> sizes_of(torch.zeros(2, 8, 6, dtype=torch.uint8))
    [(8, 6), (8, 6)]
    """
    if isinstance(x, Tensor) and is_images(x):
        return [(x.shape[1], x.shape[2])] * len(x)
    sizes = getattr(x, "sizes", None)
    if sizes is None:
        raise InputError(f"masks belong to pictures, and the samples are {describe(x)}: give images")
    found: list[tuple[int, int]] = sizes()
    return found


def describe(x: Tensor | Samples) -> str:
    """What the samples are, in words.

    >>> describe(torch.zeros(3, 8))
    '3 vectors of 8 numbers'
    """
    if not isinstance(x, Tensor):
        return str(x)
    if is_images(x):
        return f"{len(x)} images of {x.shape[2]}×{x.shape[1]} pixels"
    if x.ndim == 2:
        return f"{len(x)} vectors of {x.shape[1]} numbers"
    return f"{len(x)} tensors of shape {tuple(x.shape[1:])}"


def is_images(x: Any) -> bool:
    """Whether a tensor holds images: uint8, n × height × width, with 1, 3 or 4 channels last or none."""
    return (
        isinstance(x, Tensor)
        and x.dtype == torch.uint8
        and (x.ndim == 3 or (x.ndim == 4 and x.shape[3] in (1, 3, 4)))
    )
