"""Images a second from files to features, decoding included.

    python benchmarks/extraction.py --quick

Regraft's path is `embed` with the engine that `fastest_engine` picks. The plain loop is what tutorials write:
Pillow and timm's transform, one image at a time, batches of 32, eager, float32. The best engine that is
installed (OpenVINO, onnxruntime) gets Regraft's decoding. Each runs in a process of its own, in turn, and the
fastest round of each counts. `ratio` is Regraft over the plain loop, on the photos of ordinary size.
"""

import argparse
import importlib.util
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from data import NETWORKS, large_photos, photos, weights
from record import record
from setting import setting, table

BATCH = 32
Extract = Callable[[list[Path]], torch.Tensor]
Opened = tuple[Extract, str]
_OPENED: dict[str, Opened] = {}  # in each process the one way that it measures


def plain(network: str, photo: Path) -> Opened:
    import recipes

    net = recipes.network(weights(network), 0)
    return lambda paths: recipes.outputs(net, paths, recipes.transform(net)), "eager, float32"


def regraft(network: str, photo: Path) -> Opened:
    import regraft as rg
    from regraft.engine import fastest_engine, keep_freed_memory
    from regraft.readers import image_files

    keep_freed_memory()
    backbone = rg.open_backbone(weights=weights(network))
    few = backbone.preprocessing(image_files([photo] * 8))
    start = time.perf_counter()
    engine = fastest_engine(backbone, few)
    told = f"{engine}; chosen in {time.perf_counter() - start:.1f} s"
    return lambda paths: rg.embed(backbone, rg.Domain(image_files(paths)), None, engine).x, told


def openvino(network: str, photo: Path) -> Opened:
    import numpy as np
    import openvino as ov

    import regraft as rg
    from regraft.readers import image_files

    backbone = rg.open_backbone(weights=weights(network)).eval()
    example = backbone.preprocessing(image_files([photo]))
    model = ov.convert_model(
        backbone, example_input=example, input=[ov.PartialShape([-1, *example.shape[1:]])]
    )
    settings = {"INFERENCE_NUM_THREADS": torch.get_num_threads()}
    compiled = ov.compile_model(model, "CPU", settings)

    def extract(paths: list[Path]) -> torch.Tensor:
        batches = [paths[i : i + BATCH] for i in range(0, len(paths), BATCH)]
        made = [compiled(backbone.preprocessing(image_files(batch)).numpy())[0] for batch in batches]
        return torch.from_numpy(np.concatenate(made))

    return (
        extract,
        f"OpenVINO {ov.__version__.split('-')[0]}, {compiled.get_property('INFERENCE_PRECISION_HINT')}",
    )


def onnxruntime(network: str, photo: Path) -> Opened:
    import io

    import onnxruntime as ort

    import regraft as rg
    from regraft.readers import image_files

    backbone = rg.open_backbone(weights=weights(network)).eval()
    example = backbone.preprocessing(image_files([photo]))
    file = io.BytesIO()
    axes = {"x": {0: "n"}, "z": {0: "n"}}
    torch.onnx.export(
        backbone, (example,), file, input_names=["x"], output_names=["z"], dynamic_axes=axes, dynamo=False
    )
    asked = ort.SessionOptions()
    asked.intra_op_num_threads = torch.get_num_threads()
    session = ort.InferenceSession(file.getvalue(), asked)

    def extract(paths: list[Path]) -> torch.Tensor:
        batches = [paths[i : i + BATCH] for i in range(0, len(paths), BATCH)]
        made = [session.run(None, {"x": backbone.preprocessing(image_files(b)).numpy()})[0] for b in batches]
        return torch.cat([torch.from_numpy(z) for z in made])

    return extract, f"onnxruntime {ort.__version__}, float32"


HEADER = ["photos, network", "way", "images/s", "faster by", "CPU ms", "cheaper by", "least cosine", "runs"]
WAYS = {"plain loop": plain, "regraft": regraft, "openvino": openvino, "onnxruntime": onnxruntime}


@dataclass(frozen=True)
class Round:
    """What one way did with the photos: how fast, at which cost to the processor, and what ran."""

    speed: float  # images a second
    work: float  # milliseconds of the processor an image
    features: torch.Tensor
    told: str


def measured(way: str, network: str, paths: list[Path], threads: int) -> "Round":
    """One round of one way."""
    torch.set_num_threads(threads)
    if way not in _OPENED:
        _OPENED[way] = WAYS[way](network, paths[0])
        _OPENED[way][0](paths[:BATCH])
    extract, told = _OPENED[way]
    start, worked = time.perf_counter(), time.process_time()
    features = extract(paths)
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    return Round(len(paths) / seconds, 1000 * worked / len(paths), features.float(), told)


def contest(ways: list[str], network: str, paths: list[Path], options: Any) -> dict[str, Round]:
    """The fastest round of each way."""
    # processes of their own: one way's allocator and threads stay out of the others
    apart = {way: ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) for way in ways}
    try:
        rounds = [
            {way: apart[way].submit(measured, way, network, paths, options.threads).result() for way in ways}
            for _ in range(options.draws)
        ]
    finally:
        for process in apart.values():
            process.shutdown()
    return {way: max((found[way] for found in rounds), key=lambda r: r.speed) for way in ways}


def row(found: dict[str, Round], way: str) -> list[str]:
    """Speed and cost against the plain loop's, and how far the features agree with its."""
    here, base = found[way], found["plain loop"]
    cosine = torch.cosine_similarity(here.features, base.features, dim=1).min()
    speed, work = f"{here.speed / base.speed:.2f}", f"{base.work / here.work:.2f}"
    return [way, f"{here.speed:.1f}", speed, f"{here.work:.1f}", work, f"{cosine:.4f}", here.told]


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--quick", action="store_true", help="64 ordinary and 8 large photos, the 0.35 network")
    ask.add_argument("--draws", type=int, default=3, help="rounds")
    ask.add_argument("--networks", default=",".join(NETWORKS))
    ask.add_argument("--large", type=int, default=32, help="how many photos of 12 megapixels; 0 for none")
    ask.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = ask.parse_args()
    count = None
    if options.quick:
        options.networks, options.large, options.draws, count = "0.35", 8, 1, 64
    torch.set_num_threads(options.threads)
    ways = [w for w in WAYS if w in ("plain loop", "regraft") or importlib.util.find_spec(w)]
    rows, ratios = [], {}
    with tempfile.TemporaryDirectory() as folder:
        ordinary, _ = photos("ants and bees", Path(folder))
        files = {"ants and bees": sorted(ordinary.rglob("*.jpg"))[:count]}
        if options.large:
            large = large_photos(ordinary, options.large, Path(folder, "large"))
            files["12 megapixels"] = sorted(large.iterdir())
        for network in options.networks.split(","):
            for kind, paths in files.items():
                found = contest(ways, network, paths, options)
                ratios[network, kind] = found["regraft"].speed / found["plain loop"].speed
                rows += [[f"{kind}, {network}", *row(found, way)] for way in ways]
    first = options.networks.split(",")[0]
    text = "\n".join(
        [
            table(HEADER, rows),
            "",
            f"ratio: {ratios[first, 'ants and bees']:.2f}",
        ]
    )
    if not options.quick:
        record("extraction", f"## Extraction\n\n`benchmarks/extraction.py`, {setting()}\n\n{text}")
    print(text)


if __name__ == "__main__":
    main()
