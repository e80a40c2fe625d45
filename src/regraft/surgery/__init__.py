"""Weights from one network into another, and networks that grow without changing what they compute."""

from .net2net import deepened, widened
from .report import Moved, TransferReport
from .transfer import transfer_weights

__all__ = ["Moved", "TransferReport", "deepened", "transfer_weights", "widened"]
