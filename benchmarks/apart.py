"""Work in a process of its own, whose memory then is the work's."""

import multiprocessing
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def apart(work: Callable[[], Any]) -> tuple[Any, float]:
    """What `work` returns in a process of its own, and by how many MiB that grew meanwhile.

    The process is forked, so the caller may not have used more than one thread of torch's before.
    """
    here, there = multiprocessing.Pipe(duplex=False)

    def run() -> None:
        before = resident()
        found = work()
        there.send((found, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before))

    child = multiprocessing.get_context("fork").Process(target=run)
    child.start()
    there.close()
    try:
        found: tuple[Any, float] = here.recv()
    except EOFError:
        sys.exit("the work ended without a result")
    child.join()
    return found


def resident() -> float:
    """MiB that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20
