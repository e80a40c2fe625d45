"""Kill Regraft at random moments, run it again, and compare with a run that was never killed, bit for bit.

    python benchmarks/crashes.py          # 200 kills, recorded into README.md
    python benchmarks/crashes.py --quick  # two of each kind, recorded nowhere

Each kill is SIGKILL, which no program can answer, at a moment drawn evenly from the time that the job takes.
"""

import argparse
import hashlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import torch

from record import record
from regraft import Domain, Problem, load
from regraft.backbones import glyphs, small_mlp, vectors
from regraft.features import Store
from regraft.methods import METHODS
from regraft.training import Training
from setting import setting, table

Job = Callable[[Path], bytes]


def numbers(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def extraction(folder: Path) -> bytes:
    """The features of 640 pictures, kept in a store batch by batch."""
    pictures = (80 * numbers(640, 32, 32) + 128).clamp(0, 255).to(torch.uint8)
    return Store(folder / "features").activations(glyphs(), pictures).numpy().tobytes()


def training(folder: Path) -> bytes:
    """Fine-tuning with a checkpoint after every step, and the model folder that comes of it."""
    x = numbers(60, 20)
    data = Domain(x, ["owl" if row[0] * row[1] > 0 else "crow" for row in x])
    phi = small_mlp(20, widths=(32, 32))
    phi.pretrained = True
    recipe = METHODS["FineTune"](epochs=1, least_steps=200)
    model = recipe.fit(
        Problem(target_labelled=data), phi, Training(checkpoints=folder / "runs", save_every=0.0)
    )
    return content(model.save(folder / "model"))


def saving(folder: Path) -> bytes:
    """A model folder replaced forty times; whenever it is killed, a whole model is there, or none was yet."""
    x = numbers(40, 500)
    data = Domain(x, ["owl" if row[0] > 0 else "crow" for row in x])
    one, other = (METHODS[name]().fit(Problem(target_labelled=data), vectors()) for name in NAMES)
    if (folder / "model").exists():
        assert load(folder / "model").provenance["method"] in NAMES
    for _ in range(20):
        other.save(folder / "model")
        one.save(folder / "model")
    return content(folder / "model")


NAMES = ("NearestMean", "NearestNeighbours")
JOBS: dict[str, tuple[Job, int]] = {
    "extraction": (extraction, 80),
    "training": (training, 80),
    "saving": (saving, 40),
}


def content(folder: Path) -> bytes:
    """All bytes of a folder's files."""
    return b"".join(path.name.encode() + path.read_bytes() for path in sorted(folder.iterdir()))


def begun(job: Job, folder: Path) -> int:
    """The job in a process of its own, which leaves the digest of its result in the folder."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # that a file is damaged is said by a warning
            digest = hashlib.sha256(job(folder)).hexdigest()
        (folder / "digest").write_text(digest)
        code = 0
    finally:
        os._exit(code)


def finished(job: Job, folder: Path) -> str:
    """The digest that an undisturbed run in this folder comes to."""
    _, status = os.waitpid(begun(job, folder), 0)
    return (folder / "digest").read_text() if status == 0 else f"status {status}"


def killed(job: Job, folder: Path, after: float) -> bool:
    """Whether the job was killed, `after` seconds from its beginning, and not over by then."""
    child = begun(job, folder)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def survived(job: Job, kills: int, moments: random.Random) -> tuple[int, int, float]:
    """How often the run after a kill came to the same bits, how often it found files, and seconds of one."""
    with tempfile.TemporaryDirectory() as place:
        start = time.perf_counter()
        expected = finished(job, Path(place, "whole"))
        seconds = time.perf_counter() - start
        identical = resumed = done = 0
        while done < kills:
            folder = Path(place, "killed")
            if killed(job, folder, moments.uniform(0, seconds)):
                done += 1
                resumed += any(path.is_file() for path in folder.rglob("*"))
                identical += finished(job, folder) == expected
            shutil.rmtree(folder, ignore_errors=True)
    return identical, resumed, seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="two kills of each kind, not recorded")
    parser.add_argument("--no-record", action="store_true", help="print the figures alone")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    # imports what an optimiser does, once and before any fork; gradients only survive a fork that has none
    torch.optim.AdamW([torch.zeros(1, requires_grad=True)])
    moments, rows, total = random.Random(asked.seed), [], 0
    for name, (job, share) in JOBS.items():
        kills = 2 if asked.quick else share
        identical, resumed, seconds = survived(job, kills, moments)
        total += identical
        rows.append([name, str(kills), str(resumed), f"{seconds:.1f}", str(identical)])
    told = table(["killed in", "kills", "files were there", "seconds without", "identical"], rows)
    print(told)
    if not (asked.quick or asked.no_record):
        figures = f"## Crashes\n\n`benchmarks/crashes.py`, {setting()}\n\n{EXPLAINED}\n\n{told}\n\n"
        record("crashes", f"{figures}identical: {total}")
    print(f"identical: {total}")


EXPLAINED = (
    "SIGKILL at random moments, then the same run again. Identical: its result has the bits of a run that\n"
    "was never killed, and no file was found damaged. Training saves a checkpoint after every step here."
)

if __name__ == "__main__":
    if not hasattr(os, "fork"):
        sys.exit("needs a system that forks")
    main()
