"""Where a model comes from, so that it can be told and made again."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from . import __version__
from .backbone import Backbone
from .problem import Problem

TOLD = ("torch", "numpy", "scipy", "pillow", "scikit-learn", "timm", "xgboost-cpu", "xgboost")


def origin(problem: Problem, backbone: Backbone) -> dict[str, Any]:
    """What a model is made of: how many samples, hashes of them and of the network, the versions in use.

    The hashes are `Domain.fingerprint` by role, and `Backbone.fingerprint` before anything was fitted.
    """
    domains = problem.domains
    return {
        "samples": {role: len(domain) for role, domain in domains.items()},
        "data": {role: domain.fingerprint() for role, domain in domains.items()},
        "network": backbone.fingerprint(),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """The versions of Regraft, Python and the installed packages that a number may depend on.

    >>> versions()["python"].count(".")
    2
    """
    found = {"regraft": __version__, "python": platform.python_version()}
    for name in TOLD:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
