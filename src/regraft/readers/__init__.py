"""Files to domains."""

from .images import ImageFiles, image_files, read_images
from .tables import Table, read_table

__all__ = ["ImageFiles", "Table", "image_files", "read_images", "read_table"]
