"""A process that runs command lines, each in a fork with bounded memory and time: torch is imported once.

It reads one JSON object a line, {"in": folder, "words": […]}, and answers with one.
"""

import json
import os
import resource
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

import regraft.cli
import regraft.cli.evaluate
import regraft.cli.fit
import regraft.cli.plan
import regraft.cli.predict
import regraft.model_folder
import regraft.readers
import regraft.selection

with suppress(ImportError):
    import timm  # noqa: F401 (so that no attack waits for it)

MEMORY = 2 << 30  # bytes of address space on top of what an idle process has
SECONDS = 20.0


def run(folder: str, words: list[str]) -> dict[str, Any]:
    """Exit code, what was printed, seconds, and the most memory that the process held, in MiB."""
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        become(folder, words)
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
        "mebibytes": used.ru_maxrss / 1024,
        "out": Path("victim.out").read_text(encoding="utf-8", errors="replace"),
        "err": Path("victim.err").read_text(encoding="utf-8", errors="replace"),
    }


def become(folder: str, words: list[str]) -> None:
    """The command line itself, in this process."""
    for number, name in ((1, "victim.out"), (2, "victim.err")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.chdir(folder)
    here = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (here + MEMORY, here + MEMORY))
    sys.argv = ["regraft", *words]
    code = 1
    try:
        regraft.cli.main()
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
    idle = run(".", ["--version"])["mebibytes"]
    for line in sys.stdin:
        asked = json.loads(line)
        answer = run(asked["in"], asked["words"])
        print(json.dumps({**answer, "mebibytes": answer["mebibytes"] - idle}), flush=True)
