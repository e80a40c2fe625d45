"""Models for programs without Regraft."""

from .onnx import export_onnx
from .parity import Parity

__all__ = ["Parity", "export_onnx"]
