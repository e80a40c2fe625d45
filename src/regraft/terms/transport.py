"""Optimal transport between two samples."""

import importlib
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import InputError


def import_ot() -> Any:
    """POT, where it is installed."""
    try:
        return importlib.import_module("ot")
    except ImportError as reason:
        raise InputError(
            "optimal transport needs POT, which is not installed: pip install 'regraft[transport]'"
        ) from reason


def cheapest_plan(cost: Float[Tensor, "n m"]) -> Float[Tensor, "n m"]:
    """argmin_γ Σ γ_ij cost_ij with rows that sum to 1/n, columns to 1/m, and nothing below 0; a constant.

    >>> import pytest
    >>> _ = pytest.importorskip("ot")
    >>> cheapest_plan(torch.tensor([[0.0, 9.0], [9.0, 0.0]])).tolist()
    [[0.5, 0.0], [0.0, 0.5]]
    """
    ot, known = import_ot(), cost.detach().double().cpu().numpy()
    # no masses: they are alike
    return torch.from_numpy(ot.emd([], [], known)).to(cost)
