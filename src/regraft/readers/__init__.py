"""Files to domains."""

from .images import ImageFiles, image_files, read_images
from .masks import read_masks
from .tables import Table, read_table
from .texts import Texts, read_texts

__all__ = [
    "ImageFiles",
    "Table",
    "Texts",
    "image_files",
    "read_images",
    "read_masks",
    "read_table",
    "read_texts",
]
