"""A process that runs command lines, each in a fork with bounded memory and time: torch is imported once.

It reads one JSON list of words a line and answers with one JSON object a line.
"""

import json
import os
import resource
import signal
import sys
import time
from pathlib import Path

import torch

import regraft.cli.evaluate
import regraft.cli.fit
import regraft.cli.plan
import regraft.cli.predict
import regraft.model
import regraft.readers
import regraft.selection  # noqa: F401 (imported before the fork, so that no attack pays for it)
from regraft.cli import main

MEMORY = 2 << 30  # bytes of address space on top of what an idle process has
SECONDS = 20.0


def run(words: list[str]) -> dict[str, object]:
    """Exit code, what was printed, seconds, and the memory it took on top of an idle process, in MiB."""
    idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        become(words)
    hung = False
    while True:
        ended, status, used = os.wait4(child, os.WNOHANG)
        if ended:
            break
        if time.monotonic() - start > SECONDS:
            hung = True
            os.kill(child, signal.SIGKILL)
        time.sleep(0.005)
    return {
        "code": os.waitstatus_to_exitcode(status),
        "hung": hung,
        "seconds": time.monotonic() - start,
        "mebibytes": (used.ru_maxrss - idle) / 1024,
        "out": Path("victim.out").read_text(encoding="utf-8", errors="replace"),
        "err": Path("victim.err").read_text(encoding="utf-8", errors="replace"),
    }


def become(words: list[str]) -> None:
    """The command line itself, in this process."""
    for number, name in ((1, "victim.out"), (2, "victim.err")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    here = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (here + MEMORY, here + MEMORY))
    sys.argv = ["regraft", *words]
    code = 1
    try:
        main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)
