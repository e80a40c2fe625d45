"""What a figure was measured on and with."""

import os
import platform

import torch


def setting() -> str:
    """Cores, instruction set, threads and versions, in one line."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    half = "bf16 in hardware" if has_bfloat16() else "no bf16 in hardware"
    return (
        f"{cores} of {os.cpu_count()} cores ({platform.machine()}, "
        f"{torch.backends.cpu.get_cpu_capability()}, {half}), {torch.get_num_threads()} threads, "
        f"Python {platform.python_version()}, torch {torch.__version__.split('+')[0]}"
    )


def has_bfloat16() -> bool:
    """Whether the processor multiplies in bfloat16 itself."""
    return bool(torch.cpu._is_avx512_bf16_supported())


def table(header: list[str], rows: list[list[str]]) -> str:
    """A markdown table, numbers to the right."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
