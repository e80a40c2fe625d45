"""Whether an exported file does what the model does, on samples that matter."""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float

from ..domain import Domain
from ..errors import InputError
from ..features import BATCH
from ..model import Model
from ..output import Classes, Output, Real
from ..samples import sample_names
from .entrance import Entrance

TOLERANCE = 1e-4


@dataclass(frozen=True)
class Parity:
    """How many samples were compared, and how far apart two probabilities were at most.

    numbers: these are none, and the distance is a share of the largest.
    """

    samples: int
    largest: float
    numbers: bool = False

    def __str__(self) -> str:
        few = "sample" if self.samples == 1 else "samples"
        if self.numbers:
            return (
                f"checked on {self.samples} {few}: the same numbers within {self.largest:.1e} of the largest"
            )
        return f"checked on {self.samples} {few}: the same labels, probabilities within {self.largest:.1e}"


def compared(file: Path, model: Model, entrance: Entrance, samples: Domain) -> Parity:
    """Run the file by onnxruntime and the model by itself on the same samples.

    Raises InputError that names the samples whose label differs, or a probability by more than 1e-4; of
    numbers, those that differ by more than that share of the largest.
    """
    expected = model.expected(samples).numpy()
    found = answers(file, entrance, samples)
    unit = 1.0 if not isinstance(model.output, Real) else max(float(np.abs(expected).max()), 1e-12)
    apart = np.abs(found - expected).max(1) / unit
    differs = _other_answers(model.output, found, expected) | ~(apart <= TOLERANCE)
    if differs.any():
        names = sample_names(samples.x)
        told = [
            f"{names[i]} ({_said(model, expected[i])}, exported {_said(model, found[i])})"
            for i in np.flatnonzero(differs)[:5].tolist()
        ]
        raise InputError(
            f"the exported graph differs from the model on {differs.sum()} of {len(samples)} samples: "
            f"{', '.join(told)}{', …' if differs.sum() > 5 else ''}; "
            "nothing was written: keep the model folder"
        )
    return Parity(len(samples), float(apart.max()), isinstance(model.output, Real))


def answers(file: Path, entrance: Entrance, samples: Domain) -> Float[np.ndarray, "n k"]:
    """What the file says of the samples; the first alone, the others in batches, as users may."""
    runtime: Any = importlib.import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 4  # what fails is said here, in one line
    rows = torch.arange(len(samples))
    try:
        session = runtime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        (given,) = session.get_inputs()
        return np.concatenate(
            [
                session.run(None, {given.name: entrance.array(samples.x[batch])})[0]
                for batch in [rows[:1], *rows[1:].split(BATCH)]
                if len(batch)
            ]
        )
    except InputError:
        raise
    # its errors share no class that could be named without importing it
    except Exception as reason:
        raise InputError(
            f"onnxruntime cannot run the exported graph ({' '.join(str(reason).split())[:200]}); "
            "nothing was written: keep the model folder"
        ) from reason


def _other_answers(
    output: Output, found: Float[np.ndarray, "n k"], expected: Float[np.ndarray, "n k"]
) -> Bool[np.ndarray, " n"]:
    """Which samples are told something else, where an answer is more than a number."""
    if isinstance(output, Real):
        return np.zeros(len(found), dtype=bool)
    one, other = (output.answer(torch.from_numpy(each)) for each in (found, expected))
    return (one != other).reshape(len(found), -1).any(1).numpy()


def _said(model: Model, chances: Float[np.ndarray, " k"]) -> str:
    if not isinstance(model.output, Classes):
        return ", ".join(f"{value:.6g}" for value in chances[:5])
    best = int(chances.argmax())
    return f"{model.output.decode(torch.tensor([best]))[0]} {chances[best]:.6f}"
