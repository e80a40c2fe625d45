"""Weights from the hub that timm's models live on, when there is a network to reach it by."""

import http.client
import ssl
import urllib.error
import urllib.request
from pathlib import Path

from ..errors import InputError

FILE = "model.safetensors"
SECONDS = 5.0


class WeightsUnavailable(InputError):
    """Pretrained weights that cannot be had: no network, or none in a format that is safe to read."""


def cached(repository: str) -> Path | None:
    """The safetensors file of a repository (owner/name or owner/name@revision), if it is on this machine."""
    import huggingface_hub as hub

    repo, _, revision = repository.partition("@")
    found = hub.try_to_load_from_cache(repo, FILE, revision=revision or None)
    return Path(found) if isinstance(found, str) else None


def fetched(repository: str, name: str) -> Path:
    """The safetensors file of a repository, from the local cache or else from the hub.

    repository: owner/name, with @revision where one is meant. name: what the weights are called in errors.
    Raises WeightsUnavailable within seconds where there is no network, and where only other formats are kept.
    """
    import huggingface_hub as hub
    from huggingface_hub.errors import LocalEntryNotFoundError, RemoteEntryNotFoundError

    if here := cached(repository):
        return here
    repo, _, revision = repository.partition("@")
    reason = "HF_HUB_OFFLINE is set" if hub.constants.HF_HUB_OFFLINE else _unreachable(hub.constants.ENDPOINT)
    if reason:
        raise unavailable(name, f"the hub cannot be reached: {reason}")
    try:
        return Path(hub.hf_hub_download(repo, FILE, revision=revision or None, etag_timeout=SECONDS))
    except RemoteEntryNotFoundError as missing:
        raise unavailable(name, f"{repo} has no {FILE}, and other formats can execute code") from missing
    except LocalEntryNotFoundError as failed:
        raise unavailable(name, "the hub cannot be reached") from failed
    # whatever goes wrong between here and the hub, there are no weights
    except Exception as failed:
        raise unavailable(name, (str(failed).splitlines() or [type(failed).__name__])[0]) from failed


def unavailable(name: str, reason: str) -> WeightsUnavailable:
    return WeightsUnavailable(
        f"the weights of {name} cannot be had ({reason}): connect to a network, "
        "or pass a local safetensors file with --weights FILE (in Python: weights=FILE)"
    )


def _unreachable(endpoint: str) -> str:
    """Why the hub does not answer, or nothing. Its own client asks six times before it says so."""
    try:
        urllib.request.urlopen(urllib.request.Request(endpoint, method="HEAD"), timeout=SECONDS).close()
    except urllib.error.HTTPError:
        return ""
    except urllib.error.URLError as failed:
        # certificates are the client's own business
        return "" if isinstance(failed.reason, ssl.SSLError) else str(failed.reason)
    except (OSError, ValueError, http.client.HTTPException) as failed:
        return str(failed) or type(failed).__name__
    return ""
