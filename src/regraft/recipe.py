"""What methods and pretext tasks have in common: hyper-parameters, a first line, a folder."""

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Hyper-parameters that fitting never changes, and what is told of them."""

    def recipe(self) -> dict[str, Any]:
        """The hyper-parameters by name, JSON-able."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @classmethod
    def objective_line(cls) -> str:
        """The first line of the docstring: what is minimised, or done."""
        return (cls.__doc__ or "").strip().splitlines()[0]

    @classmethod
    def family(cls) -> str:
        """The folder it lives in."""
        return cls.__module__.rsplit(".", 2)[-2].replace("_", " ")
