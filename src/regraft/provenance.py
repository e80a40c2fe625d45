"""Where a model comes from, so that it can be told and made again."""

import platform
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from . import __version__
from .backbone import Backbone
from .problem import Problem

TOLD = ("torch", "numpy", "scipy", "pillow", "scikit-learn", "timm", "peft", "xgboost-cpu", "xgboost")


def origin(problem: Problem, backbone: Backbone) -> dict[str, Any]:
    """What a model is made of: samples and network, their numbers and hashes, and the versions in use.

    The hashes are `Domain.fingerprint` by role, and `Backbone.fingerprint` before anything was fitted.
    """
    domains = problem.domains
    return {
        "samples": {role: len(domain) for role, domain in domains.items()},
        "data": {role: domain.fingerprint() for role, domain in domains.items()},
        "network": backbone.fingerprint(),
        "network_parameters": sum(p.numel() for p in backbone.parameters()),
        **({"ancestors": list(backbone.ancestors)} if backbone.ancestors else {}),
        "versions": versions(),
    }


def ancestors_of(provenance: dict[str, Any], classes: Sequence[str]) -> tuple[dict[str, Any], ...]:
    """What a network has been through once the model of that provenance is borrowed from, the oldest first.

    >>> made = {"method": "FineTune", "samples": {"target_labelled": 120}, "seed": 0}
    >>> [told(one) for one in ancestors_of(made, ["ants", "bees"])]
    ['FineTune on 120 samples of 2 classes (ants, bees)']
    """
    kept = ("method", "recipe", "seed", "samples", "data", "network", "schedule", "head")
    last = {name: provenance[name] for name in kept if name in provenance}
    earlier = provenance.get("ancestors")
    return (*(earlier if isinstance(earlier, list) else []), {**last, "classes": list(classes)})


def told(ancestor: Any) -> str:
    """One of them, in words."""
    seen = ancestor if isinstance(ancestor, dict) else {}
    samples, classes = seen.get("samples"), [str(name) for name in seen.get("classes") or ()]
    number = sum(samples.values()) if isinstance(samples, dict) else "unknown"
    if isinstance(samples, dict) and list(samples) == ["unlabelled"] and not classes:
        return f"{seen.get('method', 'an unknown method')} on {number} samples without labels"
    some = ", ".join(classes[:3]) + ", …" * (len(classes) > 3)
    return f"{seen.get('method', 'an unknown method')} on {number} samples of {len(classes)} classes ({some})"


def told_of_head(head: Any) -> str:
    """Whose head a model took or started from, in words, from what `PretrainedHead.told` remembered.

    >>> told_of_head({"of": "birds", "rows": {"owl": "owl, bird of night", "crow": "crow"}})
    'of birds: owl as its owl, bird of night; crow as its crow'
    """
    seen = head if isinstance(head, dict) else {}
    rows = seen.get("rows")
    named = rows.items() if isinstance(rows, dict) else ()
    taken = "; ".join(f"{name} as its {called}" for name, called in named)
    return f"of {seen.get('of', 'an unknown network')}: {taken or 'no class of it'}"


def versions() -> dict[str, str]:
    """The versions of Regraft, Python and the installed packages that a number may depend on.

    >>> versions()["python"].count(".")
    2
    """
    return {"regraft": __version__, "python": platform.python_version(), **_installed()}


@cache
def _installed() -> dict[str, str]:
    """Looked up once: to read what is installed takes as long as many a fit."""
    found = {}
    for name in TOLD:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
