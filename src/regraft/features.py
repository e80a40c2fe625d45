"""Activations at a cut: computed once for each sample, stored under what they depend on."""

import contextlib
import hashlib
import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from .backbone import Backbone
from .domain import Domain
from .engine import Engine
from .preprocessing import AsTheyAre
from .progress import Progress, Silent
from .samples import Samples, digests

BATCH = 32


class Store:
    """Activations by content: the same samples through the same prefix are computed once.

    What is stored depends on the prefix (its structure, weights and preprocessing), the engine (device,
    precision) and the sample's own bytes, and on nothing else: not on file names, order or labels.
    With a folder, every batch is written as it is computed, under a temporary name that is then renamed,
    so an interrupted extraction resumes and two processes may share the folder. Without one, the
    activations live as long as the store.

    >>> store, phi = Store(), Backbone([("double", torch.nn.Linear(2, 2))], name="toy")
    >>> first = store.activations(phi, torch.ones(3, 2))
    >>> store.computed, store.activations(phi, torch.ones(5, 2)).shape, store.computed
    (1, torch.Size([5, 2]), 1)
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.computed = 0
        self._held: dict[str, dict[bytes, Tensor]] = {}

    def activations(
        self,
        prefix: Backbone,
        x: Tensor | Samples,
        engine: Engine | None = None,
        progress: Progress | None = None,
    ) -> Tensor:
        """prefix(x) for every sample, one row each; only what is not stored yet is computed."""
        engine = engine or Engine()
        key = _key(prefix, engine)
        if key not in self._held:
            self._held[key] = self._read(key)
        held = self._held[key]
        names = digests(x)
        missing = list({name: row for row, name in enumerate(names) if name not in held}.values())
        if missing:
            with (progress or Silent()).track(f"features ({prefix.name})", len(missing)) as task:
                for rows, batch in computed(prefix, x, torch.tensor(missing), engine):
                    fresh = {names[row]: z for row, z in zip(rows.tolist(), batch, strict=True)}
                    held.update(fresh)
                    self.computed += len(fresh)
                    self._write(key, fresh)
                    task.advance(len(fresh))
        return torch.stack([held[name] for name in names])

    def _read(self, key: str) -> dict[bytes, Tensor]:
        held: dict[bytes, Tensor] = {}
        if self.folder is None:
            return held
        for shard in sorted((self.folder / key).glob("*.safetensors")):
            try:
                saved = load_file(shard)
                rows = zip(saved["digests"].numpy(), saved["activations"], strict=True)
                held.update((digest.tobytes(), z) for digest, z in rows)
            except (SafetensorError, KeyError, ValueError, OSError):
                # torn by a full disk or a bad sector: what it held is computed again
                with contextlib.suppress(OSError):
                    shard.unlink()
        return held

    def _write(self, key: str, fresh: dict[bytes, Tensor]) -> None:
        if self.folder is None:
            return
        folder = self.folder / key
        folder.mkdir(parents=True, exist_ok=True)
        shard = folder / f"{uuid.uuid4().hex}.safetensors"
        names = torch.from_numpy(np.stack([np.frombuffer(name, dtype=np.uint8) for name in fresh]))
        partial = shard.with_suffix(".partial")
        save_file({"digests": names, "activations": torch.stack(list(fresh.values()))}, partial)
        partial.replace(shard)


def computed(
    prefix: Backbone, x: Tensor | Samples, rows: Int[Tensor, " m"], engine: Engine
) -> Iterator[tuple[Int[Tensor, " b"], Tensor]]:
    """prefix(x[rows]) in batches; the next batch is read while the network works on this one."""
    batches = list(rows.split(BATCH))
    with ThreadPoolExecutor(1) as reader:
        upcoming = reader.submit(prefix.preprocessing, x[batches[0]])
        for i, batch in enumerate(batches):
            prepared = upcoming.result()
            if i + 1 < len(batches):
                upcoming = reader.submit(prefix.preprocessing, x[batches[i + 1]])
            yield batch, engine.run(prefix, prepared)


def embed(
    prefix: Backbone,
    domain: Domain,
    store: Store | None = None,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Domain:
    """The domain seen through a frozen network: its x becomes the activations at the cut.

    >>> phi = Backbone([("flat", torch.nn.Flatten())], name="toy")
    >>> embed(phi, Domain(torch.zeros(3, 2, 2))).x.shape
    torch.Size([3, 4])
    """
    if len(domain) == 0:
        return domain
    if len(prefix) == 0 and (store is None or isinstance(prefix.preprocessing, AsTheyAre)):
        return domain.with_(x=prefix.preprocessing(domain.x))
    if store is not None:
        return domain.with_(x=store.activations(prefix, domain.x, engine, progress))
    parts = [batch for _, batch in computed(prefix, domain.x, torch.arange(len(domain)), engine or Engine())]
    return domain.with_(x=torch.cat(parts))


def _key(prefix: Backbone, engine: Engine) -> str:
    text = json.dumps([prefix.fingerprint(), engine.to_json()], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
