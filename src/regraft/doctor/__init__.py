"""What is wrong with the data, before anything is learned from them."""

from .duplicates import Copies, unseen
from .examination import examine
from .findings import Examination, Finding, Sample

__all__ = ["Copies", "Examination", "Finding", "Sample", "examine", "unseen"]
