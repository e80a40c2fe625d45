"""Weights from one network into another, and networks that grow without changing what they compute."""

from .anew import draw_anew
from .net2net import deepened, widened
from .report import Moved, TransferReport
from .transfer import transfer_weights

__all__ = ["Moved", "TransferReport", "deepened", "draw_anew", "transfer_weights", "widened"]
