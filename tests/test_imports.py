"""Whatever is used first, nothing of it waits for something that waits for it."""

import subprocess
import sys

EACH_FIRST = """
import sys
from importlib import import_module

import regraft

for module in sorted(set(regraft._WHERE.values()) | {"cli", "sklearn"}):
    for name in [name for name in sys.modules if name.startswith("regraft.")]:
        del sys.modules[name]
    try:
        import_module(f"regraft.{module}")
    except ImportError as reason:
        sys.exit(f"import regraft.{module}: {reason}")
"""


def test_every_public_module_can_be_the_first_to_be_imported():
    done = subprocess.run([sys.executable, "-c", EACH_FIRST], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
