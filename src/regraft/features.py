"""Activations at a cut: computed once for each sample, stored under what they depend on."""

import contextlib
import hashlib
import json
import uuid
import warnings
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from .augmentation import Augmentation, pixels_in
from .backbone import Backbone
from .domain import Domain
from .engine import Engine
from .errors import InputError
from .preprocessing import AsTheyAre
from .progress import Progress, Silent
from .samples import Samples, describe, digests, kind_of
from .seeds import seed_of

BATCH = 32
Through = Callable[[Backbone, Domain], Domain]


class Store:
    """Activations by content: the same samples through the same prefix are computed once.

    What is stored depends on the prefix (its structure, weights and preprocessing, as far as
    `Backbone.fingerprint` sees them), the engine (device, precision) and the sample's own bytes, and on
    nothing else: not on file names, order or labels.
    With a folder, every batch is written as it is computed, under a temporary name that is then renamed,
    so an interrupted extraction resumes and two processes may share the folder. Without one, or where it
    cannot be written, which is warned of once, the activations live as long as the store.

    >>> store, phi = Store(), Backbone([("double", torch.nn.Linear(2, 2))], name="toy")
    >>> first = store.activations(phi, torch.ones(3, 2))
    >>> store.computed, store.activations(phi, torch.ones(5, 2)).shape, store.computed
    (1, torch.Size([5, 2]), 1)
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.computed = 0
        self._held: dict[str, dict[bytes, Tensor]] = {}
        self._writable = folder is not None

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
        held = self._held.setdefault(key, {})
        names = digests(x)
        held.update(self._read(key, set(names) - set(held)))
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

    def _read(self, key: str, wanted: Collection[bytes]) -> dict[bytes, Tensor]:
        """What the folder has of the wanted samples; of the others nothing but digests is read."""
        found: dict[bytes, Tensor] = {}
        if self.folder is None or not wanted:
            return found
        for shard in sorted((self.folder / key).glob("*.safetensors")):
            try:
                with safe_open(shard, "pt") as saved:
                    stored = [digest.tobytes() for digest in saved.get_tensor("digests").numpy()]
                    rows = {digest: row for row, digest in enumerate(stored) if digest in wanted}
                    if rows:
                        z = saved.get_tensor("activations")
                        if not torch.equal(saved.get_tensor("checksum"), _checksum(z)):
                            raise ValueError("damaged")
                        z = z[list(rows.values())]
                        found.update(zip(rows, z, strict=True))
            except (SafetensorError, KeyError, IndexError, ValueError, OSError):
                # torn by a full disk or changed by a bad sector: what it held is computed again
                with contextlib.suppress(OSError):
                    shard.unlink()
        return found

    def _write(self, key: str, fresh: dict[bytes, Tensor]) -> None:
        if self.folder is None or not self._writable:
            return
        folder = self.folder / key
        shard = folder / f"{uuid.uuid4().hex}.safetensors"
        partial = shard.with_suffix(".partial")
        names = torch.from_numpy(np.stack([np.frombuffer(name, dtype=np.uint8) for name in fresh]))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            z = torch.stack(list(fresh.values()))
            save_file({"digests": names, "activations": z, "checksum": _checksum(z)}, partial)
            partial.replace(shard)
        except (SafetensorError, OSError) as reason:
            self._writable = False
            with contextlib.suppress(OSError):
                partial.unlink()
            told = getattr(reason, "strerror", None) or reason
            warnings.warn(
                f"features cannot be kept in {self.folder} ({told}): the next run computes them again",
                stacklevel=4,
            )


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
            if i == 0:
                network = engine.settle(prefix.eval(), pictures=prepared.ndim == 4)
            yield batch, engine.run_settled(network, prepared)


def embed(
    prefix: Backbone,
    domain: Domain,
    store: Store | None = None,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Domain:
    """The domain seen through a frozen network: its x becomes the activations at the cut, without views.

    >>> phi = Backbone([("flat", torch.nn.Flatten())], name="toy")
    >>> embed(phi, Domain(torch.zeros(3, 2, 2))).x.shape
    torch.Size([3, 4])
    """
    domain = domain.with_(views=None)
    if len(domain) == 0:
        return domain.with_(x=torch.zeros(0, 0))  # of how many columns, no sample tells
    cheap = isinstance(prefix.preprocessing, AsTheyAre) or kind_of(domain.x) != "images"
    if len(prefix) == 0 and (store is None or cheap):
        return domain.with_(x=prefix.preprocessing(domain.x))
    if store is not None:
        return domain.with_(x=store.activations(prefix, domain.x, engine, progress))
    parts = [batch for _, batch in computed(prefix, domain.x, torch.arange(len(domain)), engine or Engine())]
    return domain.with_(x=torch.cat(parts))


def behind(prefix: Backbone, domain: Domain, through: Through = embed) -> Domain:
    """`embed`, or what stands for it, for a domain and its views."""
    seen = through(prefix, domain)
    if domain.views is None or len(prefix) == 0:
        return seen.with_(views=domain.views)
    flat = through(prefix, Domain(domain.views.flatten(0, 1))).x
    return seen.with_(views=flat.unflatten(0, domain.views.shape[:2]))


def with_views(
    prefix: Backbone,
    domain: Domain,
    augmentation: Augmentation,
    views: int,
    seed: int,
    through: Through = embed,
) -> Domain:
    """The domain behind a frozen network, and so many augmented copies of every sample behind it as well.

    What is changed about a copy depends on the seed and on the sample's own pixels, so that a sample looks
    alike whatever others it is among. `through` stands for `embed`.
    """
    pixels = through(prefix[:0], domain).x
    if not pixels_in(pixels):
        raise InputError(
            f"crops, colours and the like change pictures, and {describe(pixels)} are given: leave them out"
        )
    network, names = prefix.prepared_by(AsTheyAre()), digests(pixels)
    copies = []
    for view in range(views):
        seeds = [seed_of(seed, "view", view, name.hex()) for name in names]
        u = torch.stack([_uniform(own, augmentation.numbers) for own in seeds])
        copies.append(through(network, Domain(augmentation(pixels, u))).x)
    return through(prefix, domain).with_(views=torch.stack(copies, 1))


def _uniform(seed: int, numbers: int) -> Tensor:
    return torch.rand(numbers, generator=torch.Generator().manual_seed(seed))


def _checksum(z: Tensor) -> Tensor:
    """A hash of activations, as bytes in a tensor."""
    content = z.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    return torch.tensor(list(hashlib.blake2b(content, digest_size=16).digest()), dtype=torch.uint8)


def _key(prefix: Backbone, engine: Engine) -> str:
    text = json.dumps([prefix.fingerprint(), engine.to_json()], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
