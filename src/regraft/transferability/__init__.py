"""What of a network carries over: the A-n-B experiment and what it says in words."""

from .curves import CURVES, Transferability, transferable
from .words import reading

__all__ = ["CURVES", "Transferability", "reading", "transferable"]
