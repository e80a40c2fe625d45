"""Masks from networks that learned to classify: what each way of borrowing them is worth.

    python benchmarks/segmentation.py --quick

Three tasks. *Shapes, glyphs*: pictures with exact masks (`shapes.py`) and the built-in network, which learned
to tell printed glyphs. *Shapes, photos*: the same pictures and MobileNetV2 0.35, which learned to tell
photos. *Raccoons*: boxes of the raccoon set as masks, raccoon against background, and the same network. Every
row is judged by 3-fold cross-validation on the labelled pictures, then fitted to all of them and scored on
test pictures that nothing was chosen by. `miou` is the mIoU, in points, of what Regraft hands over on the
raccoons' test.
"""

import argparse
import json
import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path

import torch
from PIL import Image, ImageDraw

import regraft as rg
from data import DATA, missing, weights
from record import record
from regraft.backbones import glyphs, pyramid, small_convnet
from regraft.engine import keep_freed_memory
from regraft.methods import METHODS
from regraft.selection import evaluate
from setting import setting, table
from shapes import CLASSES, shapes

FROM_SCRATCH = METHODS["FromScratch"](epochs=15, batch_size=8)  # as much training as the pyramids get
TRIED = [FROM_SCRATCH, "PixelProbe", "PyramidHead", "PyramidFineTune"]
UNTRAINED = ["PixelProbe"]
JUDGE = rg.CrossValidation(folds=3, repeats=1)
HEADER = ["candidate", "mIoU, cross-validated", "mIoU on test", "pixels right", "seconds"]
TASKS = {
    "glyphs": "shapes, by a network that tells glyphs",
    "photos": "shapes, by a network that tells photos",
    "raccoons": "raccoons, from boxes as masks",
}
SIDE = 224  # of pictures on which a person looks at masks


def of_shapes(labelled: int, tested: int) -> tuple[rg.Domain, rg.Domain]:
    output = rg.Mask(CLASSES)
    (x, y), (test_x, test_y) = shapes(labelled, seed=2), shapes(tested, seed=3)
    return rg.Domain(x, y, output=output), rg.Domain(test_x, test_y, output=output)


def of_raccoons(into: Path) -> tuple[rg.Domain, rg.Domain]:
    """The photos of the raccoon set, with its boxes drawn as masks."""
    archive = DATA / "raccoon" / "raccoon.tar"
    if not archive.is_file():
        missing(f"{archive} is not there")
    with tarfile.open(archive) as packed:
        packed.extractall(into / "all", filter="data")
    known = json.loads((DATA / "raccoon" / "boxes.json").read_text())
    for name, photo in known.items():
        images, masks = (into / photo["split"] / kind for kind in ("images", "masks"))
        for folder in (images, masks):
            folder.mkdir(parents=True, exist_ok=True)
        mask = Image.new("L", (photo["width"], photo["height"]))
        for thing in photo["objects"]:
            ImageDraw.Draw(mask).rectangle([round(side) for side in thing["box"]], 1)
        (into / "all" / "images" / name).rename(images / name)
        mask.save(masks / Path(name).with_suffix(".png"))
    names = ["background", "raccoon"]
    train, test = (
        rg.read_masks(into / split / "images", into / split / "masks", classes=names)
        for split in ("train", "test")
    )
    return train, test


def measured(
    task: str, network: rg.Backbone, labelled: rg.Domain, test: rg.Domain, options: argparse.Namespace
) -> tuple[list[list[str]], float]:
    """(a row a candidate, the mIoU on test of what is handed over)."""
    problem = rg.Problem(target_labelled=labelled)
    study = rg.compare(
        problem, backbone=network, methods=UNTRAINED if options.untrained else TRIED, judge=JUDGE
    )
    print(study, flush=True)
    rows, handed_over = [], float("nan")
    for result in sorted(study.results, key=lambda r: r.scores.value("mean_iou")):
        candidate = result.candidate
        model = candidate.method.fit(problem, candidate.backbone)
        on_test = evaluate(model, test)
        mark = ""
        if result is study.handed_over:  # which is this very model: the same data, recipe and seed
            mark, handed_over = "▸ ", on_test.value("mean_iou")
        rows.append(
            [
                mark + candidate.name,
                str(result.scores.interval("mean_iou")),
                str(on_test.interval("mean_iou")),
                f"{on_test.value('pixel_accuracy'):.2f}",
                f"{result.seconds:.0f}",
            ]
        )
        print(" | ".join(rows[-1]), flush=True)
        if options.look is not None:
            look_at(model, test, options.look / f"{task} {candidate.name}.png")
    verdict = study.transfer.outcome if study.transfer else "nothing was borrowed"
    rows.append([f"verdict: {verdict}", "", "", "", ""])
    return rows, handed_over


def look_at(model: rg.Model, test: rg.Domain, file: Path) -> None:
    """Ten pictures, what was asked, and what the model says, one above the other."""
    some = test[torch.arange(min(10, len(test)))]
    colours = torch.tensor([[0, 0, 0], [255, 60, 60], [60, 255, 60], [60, 60, 255]], dtype=torch.uint8)
    square = replace(small_convnet((SIDE, SIDE)).preprocessing, size=(SIDE, SIDE))
    pictures = square(some.x).permute(0, 2, 3, 1)
    asked = torch.stack([_at(mask) for mask in some.y])
    said = torch.stack([_at(mask) for mask in model.masks(some)])
    shown = [pictures, *(_mixed(pictures, colours[mask.long()]) for mask in (asked, said))]
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(torch.cat([torch.cat(list(row), 1) for row in shown], 0).numpy()).save(file)


def _at(mask: torch.Tensor) -> torch.Tensor:
    """The mask at SIDE × SIDE points."""
    rows, columns = ((torch.arange(SIDE) * n) // SIDE for n in mask.shape)
    return mask[rows[:, None], columns]


def _mixed(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return ((a.int() + b.int()) // 2).to(torch.uint8)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--quick", action="store_true", help="few pictures")
    ask.add_argument("--tasks", default=",".join(TASKS))
    ask.add_argument("--untrained", action="store_true", help="closed forms alone: minutes, not an hour")
    ask.add_argument("--look", type=Path, help="a folder for pictures of the masks")
    ask.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = ask.parse_args()
    torch.set_num_threads(options.threads)
    keep_freed_memory()
    labelled, tested = (20, 40) if options.quick else (60, 300)
    last = ""
    for task in options.tasks.split(","):
        if task == "glyphs":
            network = pyramid(glyphs(), size=(64, 64))
            rows, miou = measured(task, network, *of_shapes(labelled, tested), options)
        elif task == "photos":
            network = rg.open_backbone(weights=weights("0.35"))
            rows, miou = measured(task, network, *of_shapes(labelled, tested), options)
        else:
            network = rg.open_backbone(weights=weights("0.35"))
            with tempfile.TemporaryDirectory() as folder:
                train, test = of_raccoons(Path(folder))
                some = train[torch.arange(20)] if options.quick else train
                rows, miou = measured(task, network, some, test, options)
            last = f"\n\nmiou: {100 * miou:.1f}"
        text = f"{table(HEADER, rows)}{last}"
        if not options.quick:
            title = f"## Segmentation: {TASKS[task]}"
            called = f"`benchmarks/segmentation.py{' --untrained' * options.untrained}`"
            record(f"segmentation {task}", f"{title}\n\n{called}, {setting()}\n\n{text}")
        print(text, flush=True)


if __name__ == "__main__":
    main()
