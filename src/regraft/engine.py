"""How a network is run on this machine: device, precision and memory layout, chosen once."""

import ctypes
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from .errors import InputError

AGREEMENT = 0.999  # the least cosine between features of a faster engine and those in float32


@dataclass(frozen=True)
class Engine:
    """Device, precision ("float32", or "bfloat16" by autocast) and layout of images in memory.

    >>> Engine().run(nn.Linear(2, 1), torch.ones(3, 2)).shape
    torch.Size([3, 1])
    """

    device: str = "cpu"
    precision: str = "float32"
    channels_last: bool = False

    @torch.inference_mode()
    def run(self, module: nn.Module, x: Tensor) -> Tensor:
        """module(x) without gradients, back on the CPU."""
        module = module.eval().to(self.device)
        x = x.to(self.device)
        if self.channels_last and x.ndim == 4:
            x = x.contiguous(memory_format=torch.channels_last)
            module = module.to(memory_format=torch.channels_last)
        with self.autocast():
            out: Tensor = module(x)
        return out.cpu()

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

    x: a small batch of prepared samples. Each mode runs it once to warm up and twice against the clock.
    """
    plain = Engine(device)
    if x.ndim != 4:
        return plain
    reference = plain.run(module, x).flatten(1).float()
    best, best_seconds = plain, _seconds(plain, module, x)
    for engine in (Engine(device, "float32", True), Engine(device, "bfloat16", True)):
        out = engine.run(module, x).flatten(1).float()
        if cosine_similarity(out, reference, dim=1).min() < AGREEMENT:
            continue
        seconds = _seconds(engine, module, x)
        if seconds < best_seconds:
            best, best_seconds = engine, seconds
    return best


def _seconds(engine: Engine, module: nn.Module, x: Tensor) -> float:
    taken = []
    for _ in range(2):
        start = time.perf_counter()
        engine.run(module, x)
        taken.append(time.perf_counter() - start)
    return min(taken)


@contextmanager
def one_thread(small: bool = True) -> Iterator[None]:
    """Work on small matrices by one thread; `small` says whether they are.

    Threads that wait for each other in every one of thousands of small products cost a little on an idle
    machine and sixty times the work on a busy one. It also makes the sums the same for any number of threads.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1 if small else threads)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


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
