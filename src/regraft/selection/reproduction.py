"""What tells whether a study was made of the same things."""

import hashlib
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from .. import __version__
from ..backbone import Backbone
from ..domain import Domain
from ..samples import digests

PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "pillow", "timm", "xgboost-cpu", "xgboost")


def versions() -> dict[str, str]:
    """The versions of Regraft, Python and what numbers may depend on, where it is installed.

    >>> list(versions())[:2]
    ['regraft', 'python']
    """
    found = {"regraft": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def hashes(labelled: Domain, backbones: Sequence[Backbone]) -> dict[str, Any]:
    """BLAKE2b of the samples with their labels, in order, and the fingerprint of every network by its name.

    >>> owls = Domain([[0.0], [1.0]], ["owl", "crow"])
    >>> hashes(owls, [])["data"] == hashes(owls.with_(y=1 - owls.y), [])["data"]
    False
    """
    seen = hashlib.blake2b(digest_size=16)
    for digest, label in zip(digests(labelled.x), labelled.classes.decode(labelled.labels), strict=True):
        seen.update(digest + hashlib.blake2b(label.encode("utf-8", "surrogatepass"), digest_size=16).digest())
    distinct = {id(b): b for b in backbones}.values()
    return {"data": seen.hexdigest(), "backbones": {b.name: b.fingerprint() for b in distinct}}
