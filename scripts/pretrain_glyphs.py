"""Pretrain the built-in network on printed glyphs, and write its weights and what they were trained on.

    python scripts/pretrain_glyphs.py            # trains on two threads and writes the shipped files
    python scripts/pretrain_glyphs.py --check    # trains again and compares with the shipped files

`glyph_pictures.py` makes the pictures. The same machine, build of torch and number of threads give the same
bytes.
"""

import argparse
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import PIL
import torch
from jaxtyping import Int, UInt8
from safetensors.torch import load_file, save_file
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy

from glyph_pictures import FONTS, HELD_OUT_FONTS, SAME, render, render_leaves, vary
from regraft.backbone import Backbone
from regraft.backbones.glyphs import LICENCE, SOURCE, WIDTH, rebuild_glyphs

WEIGHTS = Path(__file__).resolve().parents[1] / "src/regraft/backbones/weights/glyphs.safetensors"
THREADS = 2
STEPS = 12_000
BATCH = 96
LEAVES = 3000  # pictures
LEARNING_RATE = 1e-2
WEIGHT_DECAY = 0.05


def pretrain(seed: int, steps: int) -> tuple[Backbone, dict[str, Any]]:
    """Cross-entropy over the classes, every class as often; and what the run was."""
    pictures, names = render(FONTS)
    classes = sorted(set(names))
    y = torch.tensor([classes.index(name) for name in names])
    rng = Generator().manual_seed(seed)
    leaves = render_leaves(LEAVES, rng)
    torch.manual_seed(seed)
    backbone = rebuild_glyphs().to(memory_format=torch.channels_last).train()
    head = nn.Linear(8 * WIDTH, len(classes))
    parameters = [*backbone.parameters(), *head.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, LEARNING_RATE, total_steps=steps, pct_start=0.25
    )
    started, running = time.monotonic(), math.log(len(classes))
    for step, rows in enumerate(batches(y, steps, rng), start=1):
        loss = cross_entropy(head(backbone(vary(pictures[rows], leaves, rng))), y[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        running += (loss.item() - running) / 20
        if step % max(1, steps // 20) == 0:
            print(
                f"step {step} of {steps}, loss {running:.2f}, {time.monotonic() - started:.0f} s", flush=True
            )
    accuracy = accuracy_on(HELD_OUT_FONTS, leaves, backbone.eval(), head, classes, rng)
    print(f"accuracy on fonts held out ({', '.join(HELD_OUT_FONTS)}), varied likewise: {accuracy:.3f}")
    return backbone, described(seed, steps, classes, len(pictures), accuracy)


def batches(y: Int[Tensor, " n"], steps: int, rng: Generator) -> Iterator[Int[Tensor, " b"]]:
    """Rows at random, each class with the same probability."""
    weight = torch.bincount(y).float()[y].reciprocal()
    for _ in range(steps):
        yield torch.multinomial(weight, BATCH, replacement=True, generator=rng)


@torch.no_grad()
def accuracy_on(
    fonts: dict[str, str],
    leaves: UInt8[Tensor, "m 3 32 32"],
    backbone: Backbone,
    head: nn.Module,
    classes: list[str],
    rng: Generator,
) -> float:
    """Of the classifier on ten variations of every glyph of these fonts."""
    pictures, names = render(fonts)
    y = torch.tensor([classes.index(name) for name in names])
    # variations depend on the place in the batch, so every glyph meets all kinds
    orders = [torch.randperm(len(y), generator=rng) for _ in range(10)]
    hits = [head(backbone(vary(pictures[rows], leaves, rng))).argmax(1) == y[rows] for rows in orders]
    return torch.cat(hits).float().mean().item()


def described(seed: int, steps: int, classes: list[str], glyphs: int, accuracy: float) -> dict[str, Any]:
    """What the weights are and where they come from."""
    return {
        "name": "glyphs",
        "source": SOURCE,
        "licence": LICENCE,
        "preprocessing": rebuild_glyphs().preprocessing.to_json(),
        "glyphs": glyphs,
        "pictures_of_leaves": LEAVES,
        "fonts": list(FONTS),
        "fonts_held_out": list(HELD_OUT_FONTS),
        "accuracy_on_fonts_held_out": round(accuracy, 4),
        "classes": classes,
        "merged": list(SAME),
        "seed": seed,
        "steps": steps,
        "batch_size": BATCH,
        "learning_rate": LEARNING_RATE,
        "weight_decay": WEIGHT_DECAY,
        "optimiser": "AdamW, one cycle",
        "threads": torch.get_num_threads(),
        "versions": {
            "torch": torch.__version__,
            "matplotlib": matplotlib.__version__,
            "pillow": PIL.__version__,
        },
    }


def stored(backbone: Backbone) -> dict[str, Tensor]:
    """Kernels in half precision; the few other numbers as they are."""
    state = backbone.state_dict()
    return {k: (t.half() if t.ndim > 1 else t).contiguous() for k, t in state.items()}


def largest_difference(weights: dict[str, Tensor], shipped: dict[str, Tensor]) -> float:
    if weights.keys() != shipped.keys():
        return float("inf")
    return max((t.double() - shipped[k].double()).abs().max().item() for k, t in weights.items())


def main() -> None:
    parser = argparse.ArgumentParser(description="Pretrain the built-in network on printed glyphs.")
    parser.add_argument(
        "--out", type=Path, default=WEIGHTS, help="the .safetensors file; a .json goes beside it"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--check", action="store_true", help="write nothing: compare with the file at --out")
    options = parser.parse_args()
    torch.set_num_threads(THREADS)
    torch.use_deterministic_algorithms(True)
    backbone, description = pretrain(options.seed, options.steps)
    if options.check:
        gap = largest_difference(stored(backbone), load_file(options.out))
        print(f"largest difference from {options.out.name}: {gap:.2g}")
        return
    options.out.parent.mkdir(parents=True, exist_ok=True)
    save_file(stored(backbone), options.out)
    text = json.dumps(description, indent=2, ensure_ascii=False)
    options.out.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    print(f"wrote {options.out.name}: {options.out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
