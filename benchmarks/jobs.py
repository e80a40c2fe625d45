"""Runs that take hours: in several processes, kept one by one in a file, and gone on with from there."""

import json
import multiprocessing
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from regraft.engine import keep_freed_memory


def runs_of(
    jobs: Sequence[Any],
    run: Callable[[Any], Any],
    read: Callable[[str], Any],
    results: Path | None,
    processes: int,
) -> list[Any]:
    """The run of every job, in their order; jobs, and runs, which are dataclasses, have a `key`.

    Those whose run is a line of `results`, which `read` makes a run of, are not run again. Each of the others
    has a process of its own, on one thread, and becomes a line when it ends.
    """
    lines = results.read_text().splitlines() if results is not None and results.is_file() else []
    done = {found.key: found for found in map(read, lines)}
    torch.set_num_threads(1)
    keep_freed_memory()
    with multiprocessing.get_context("fork").Pool(processes, maxtasksperchild=1) as workers:
        for found in workers.imap_unordered(run, [job for job in jobs if job.key not in done]):
            done[found.key] = found
            print(found, file=sys.stderr, flush=True)
            if results is not None:
                with results.open("a") as file:
                    file.write(json.dumps(asdict(found)) + "\n")
    return [done[job.key] for job in jobs]
