"""How a network is run on this machine: device, precision and memory layout, chosen once."""

import copy
import ctypes
import hashlib
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from threadpoolctl import ThreadpoolController
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from .errors import InputError

AGREEMENT = 0.999  # the least cosine between features of a faster engine and those in float32
GRADIENTS_AGREE = 0.97  # the same of gradients
CLEARLY = 0.9  # so few samples tell no smaller differences, and leave what usually is the fastest
TIMED = 8  # samples that a mode is timed on: of fewer one sees what calls cost, not what pictures do


@dataclass(frozen=True)
class Engine:
    """Device, precision ("float32", or "bfloat16" by autocast) and layout of images in memory.

    >>> Engine().run(nn.Linear(2, 1), torch.ones(3, 2)).shape
    torch.Size([3, 1])
    """

    device: str = "cpu"
    precision: str = "float32"
    channels_last: bool = False

    def __post_init__(self) -> None:
        if self.precision not in ("float32", "bfloat16"):
            raise InputError(f"precision {self.precision!r} is unknown: use float32 or bfloat16")

    def run(self, module: nn.Module, x: Tensor) -> Tensor:
        """module(x) without gradients, back on the CPU."""
        # moved outside of inference mode, in which weights would become unfit for training
        return self.run_settled(self.settle(module.eval(), pictures=x.ndim == 4), x)

    def run_settled(self, module: nn.Module, x: Tensor) -> Tensor:
        """`run` of a module that `settle` had, and that is in the mode of evaluation: for many batches."""
        x = self.lay_out(x)
        with torch.inference_mode(), self.autocast():
            out: Tensor = module(x)
        return out.cpu()

    def settle(self, module: nn.Module, pictures: bool) -> nn.Module:
        """The module on the device, its kernels laid out as the pictures that go through it are."""
        module = module.to(self.device)
        return module.to(memory_format=self._layout) if pictures else module

    def lay_out(self, x: Tensor) -> Tensor:
        """x on the device, and pictures in the layout."""
        x = x.to(self.device)
        return x.contiguous(memory_format=self._layout) if x.ndim == 4 else x

    @property
    def _layout(self) -> torch.memory_format:
        return torch.channels_last if self.channels_last else torch.contiguous_format

    def autocast(self) -> Any:
        """The context in which the network computes."""
        if self.precision == "float32":
            return nullcontext()
        return torch.autocast(torch.device(self.device).type, dtype=torch.bfloat16)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> "Engine":
        return cls(**saved)

    def __str__(self) -> str:
        return f"{self.device}, {self.precision}{', channels last' if self.channels_last else ''}"


def find_device(wanted: str = "auto") -> str:
    """The device that is asked for, or the best there is.

    >>> find_device("cpu")
    'cpu'
    """
    if wanted.split(":")[0] not in ("auto", "cpu", "cuda", "mps"):
        raise InputError(f"device {wanted!r} is unknown: use cpu, cuda, mps or auto")
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=wanted)
    except (RuntimeError, AssertionError, NotImplementedError) as reason:
        raise InputError(
            f"device {wanted!r} cannot be used here ({str(reason).splitlines()[0]}): use cpu or auto"
        ) from reason
    return wanted


def fastest_engine(module: nn.Module, x: Float[Tensor, "n ..."] | Tensor, device: str = "cpu") -> Engine:
    """The fastest of torch's own modes here whose features agree with float32's (cosine ≥ 0.999).

    x: a few prepared samples, of which eight are run and timed, after one that warms the mode up; they are
    spared where the one took longer than the best mode's eight (bfloat16, where it is emulated).

    >>> fastest_engine(nn.Flatten(), torch.ones(2, 3)).precision
    'float32'
    """
    return _fastest(_features, module, x, device, AGREEMENT)


def fastest_training_engine(module: nn.Module, x: Tensor, device: str = "cpu") -> Engine:
    """`fastest_engine` for training: what is timed is forward, backward and the optimiser's step of a copy.

    A faster mode's gradient has to agree with float32's (cosine ≥ 0.97, far nearer than the gradients
    of two batches are). Statistics of BatchNorm stand still, as they do in fine-tuning.

    >>> fastest_training_engine(nn.Flatten(), torch.ones(2, 3)).precision
    'float32'
    """
    if not any(True for _ in module.parameters()):
        return usual_engine(device) if x.ndim == 4 else Engine(device)
    return _fastest(_gradient, copy.deepcopy(module), x, device, GRADIENTS_AGREE)


def usual_engine(device: str) -> Engine:
    """What pictures run best on without a measurement: processors have their colours next to each other.

    >>> str(usual_engine("cpu"))
    'cpu, float32, channels last'
    """
    return Engine(device, channels_last=torch.device(device).type == "cpu")


def remembered_engine(folder: Path | None, network: str, choose: Callable[[], Engine]) -> Engine:
    """What `choose` chose for this network here the first time; without a folder, what it chooses now."""
    if folder is None:
        return choose()
    here = [network, platform.node(), platform.processor(), torch.__version__, torch.get_num_threads()]
    key = hashlib.blake2b(repr(here).encode(), digest_size=16).hexdigest()
    file = folder / f"engine-{key}.json"
    try:
        return Engine.from_json(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        engine = choose()
    with suppress(OSError):  # a cache that cannot be written is no reason to stop
        folder.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(f".{os.getpid()}.partial")
        partial.write_text(json.dumps(engine.to_json()), encoding="utf-8")
        partial.replace(file)
    return engine


def _fastest(
    run: Callable[[Engine, nn.Module, Tensor], Float[Tensor, "n d"]],
    module: nn.Module,
    x: Tensor,
    device: str,
    agreement: float,
) -> Engine:
    """The engine under which `run` is fastest, of those whose rows agree with the usual one's."""
    if x.ndim != 4:
        return Engine(device)
    x, usual = x[:TIMED], usual_engine(device)
    _timed(run, usual, module, x[:1])
    reference, best_seconds = _timed(run, usual, module, x)
    best = usual
    for engine in (Engine(device, channels_last=not usual.channels_last), Engine(device, "bfloat16", True)):
        _, first = _timed(run, engine, module, x[:1])
        if first > best_seconds:
            continue
        out, seconds = _timed(run, engine, module, x)
        agrees = bool(cosine_similarity(out, reference, dim=1).min() >= agreement)  # NaN does not
        if agrees and seconds < CLEARLY * best_seconds:
            best, best_seconds = engine, seconds
    return best


def _timed(
    run: Callable[[Engine, nn.Module, Tensor], Float[Tensor, "n d"]],
    engine: Engine,
    module: nn.Module,
    x: Tensor,
) -> tuple[Float[Tensor, "n d"], float]:
    """What it gives, and the seconds that it took."""
    start = time.perf_counter()
    out = run(engine, module, x)
    return out, time.perf_counter() - start


def _features(engine: Engine, module: nn.Module, x: Tensor) -> Float[Tensor, "n d"]:
    return engine.run(module, x).flatten(1).float()


def _gradient(engine: Engine, module: nn.Module, x: Tensor) -> Float[Tensor, "1 p"]:
    """The gradient of the squared features, after a step along it of no length."""
    module = engine.settle(module.eval().requires_grad_(True), pictures=True)
    optimiser = torch.optim.AdamW(module.parameters(), lr=0.0, weight_decay=0.0, fused=True)
    with engine.autocast():
        loss = module(engine.lay_out(x)).float().pow(2).mean()
    loss.backward()
    gradient = [p.grad.flatten().float().cpu() for p in module.parameters() if p.grad is not None]
    optimiser.step()
    module.zero_grad(set_to_none=True)
    return torch.cat(gradient)[None]


@contextmanager
def one_thread(small: bool = True) -> Iterator[None]:
    """Work on small matrices by one thread; `small` says whether they are.

    Threads that wait for each other in every one of thousands of small products cost a little on an idle
    machine and sixty times the work on a busy one. It also makes the sums the same for any number of threads.
    """
    if not small:
        yield
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with _numpy_threads().limit(limits=1):
            yield
    finally:
        torch.set_num_threads(threads)


@cache
def _numpy_threads() -> ThreadpoolController:
    """What numpy's own threads are told by; to look for it takes a while."""
    return ThreadpoolController()


@contextmanager
def luck_of(seed: int) -> Iterator[None]:
    """torch's own random numbers, started by the seed; afterwards they go on as if nothing had been drawn.

    `torch.manual_seed` would also keep a stack trace for every device that was never used, at every step.

    >>> with luck_of(3):
    ...     first = torch.rand(2)
    >>> torch.equal(first, torch.rand(2, generator=torch.Generator().manual_seed(3)))
    True
    """
    started = torch.cuda.is_initialized()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count()) if started else ()):
        torch.default_generator.manual_seed(seed)
        if started:
            torch.cuda.manual_seed_all(seed)
        if torch.backends.mps.is_available():
            torch.mps.manual_seed(seed)
        yield


def keep_freed_memory() -> None:
    """Let glibc keep freed blocks: giving every large activation back costs a third of the time.

    It concerns the whole process, so only the command line and the benchmarks call it.
    Without glibc it does nothing.
    """
    if sys.platform != "linux":
        return
    try:
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(-4, 0)  # M_MMAP_MAX: large blocks come from the heap
        libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD: the heap is not given back
    except (OSError, AttributeError):
        return
