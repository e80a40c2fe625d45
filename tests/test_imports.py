"""Whatever is used first, nothing of it waits for something that waits for it."""

import builtins
import dis
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import CodeType

import regraft

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


def globals_of(code):
    """The global names that a module's functions read."""
    for one in dis.get_instructions(code):
        if one.opname == "LOAD_GLOBAL":
            yield one.argval
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from globals_of(inner)


def test_every_name_is_there():
    """Linters cannot tell: the shapes of tensors look like names to them."""
    unknown = []
    for found in pkgutil.walk_packages(regraft.__path__, "regraft."):
        if found.name.endswith("__main__"):
            continue
        module = importlib.import_module(found.name)
        file = Path(module.__file__)
        code = compile(file.read_text(encoding="utf-8"), file, "exec")
        known = {*vars(module), *dir(builtins)}
        unknown += [f"{found.name}: {name}" for name in globals_of(code) if name not in known]
    assert unknown == []
