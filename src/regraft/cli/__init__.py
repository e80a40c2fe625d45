"""The command line: a thin layer, one file a command, each loaded when it is called."""

import os
import shlex
import signal
import sys
import warnings
from contextlib import suppress
from importlib import import_module
from types import FrameType
from typing import Any

import click

from .. import __version__

# name -> the line that `regraft --help` shows; the command itself is cli/<name>.py
COMMANDS = {
    "demo": "Run the main job on handwritten digits, offline, in about a minute.",
    "fit": "Try what may help on a folder or table, judge it, and hand over the model.",
    "pretrain": "Train a backbone on samples without labels.",
    "predict": "Label new samples with a fitted model.",
    "evaluate": "Score a fitted model on labelled samples.",
    "export": "Write a model as one file that runs without Regraft.",
    "doctor": "Say what is wrong with the data: copies, leaks, doubtful labels.",
    "cluster": "Sort samples without labels by what lies together.",
    "shift": "Say how far apart domains are, and what differs.",
    "plan": "Say what fit would try and why, training nothing.",
    "transferable": "Say which layers of a network carry over from one task to another.",
    "methods": "List the methods, or explain one.",
}


class _Lazy(click.Group):
    """Commands are listed without being imported, so that help is quick."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        context.obj = shlex.join(["regraft", *args])  # for a study to remember
        return super().parse_args(context, args)

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f".{name}", __name__).command
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="regraft")
def cli() -> None:
    """Transfer learning: what carries over to your task, how much it really helps, and the model."""


def main() -> None:
    """Run a command; bad input ends with one line and code 2, an interruption with code 130."""
    from ..errors import InputError

    # read when torch loads: threads that wait asleep lose little alone and do not starve on a busy machine
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    warnings.showwarning = _note
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        try:
            cli.main(standalone_mode=False)
        finally:
            sys.stdout.flush()
    except InputError as error:
        _fail(str(error), 2)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:  # whoever was reading has read enough
        os._exit(1)
    except OSError as reason:  # a full disk, a name that is too long, a folder that was taken away
        _fail(f"{reason.filename or 'the output'}: {reason.strerror or reason}: give another place", 2)
    except MemoryError:
        _fail("there is not enough memory for this: give fewer or smaller samples, or a smaller network", 2)
    except (KeyboardInterrupt, click.Abort):
        _interrupted()


def _interrupt(number: int, frame: FrameType | None) -> None:
    """End in good order; during an import at once, for modules in C++ take no exception there but abort."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            if sys.stderr.isatty():
                sys.stderr.write("\x1b[?25h")  # the cursor, which progress bars hide
            _interrupted()
        frame = frame.f_back
    raise KeyboardInterrupt


def _interrupted() -> None:
    from .places import cache_folder

    _fail(
        f"interrupted; no model was written. Features and training done so far are in {cache_folder()} "
        "(not with --no-cache): the same command goes on from there",
        130,
    )


def _fail(line: str, code: int) -> None:
    with suppress(OSError):  # what standard output cannot take is what is being told
        sys.stdout.flush()
    from ..text import plain

    print(f"regraft: {plain(line)}", file=sys.stderr, flush=True)
    # worker threads may still be reading; what is on disk is whole, so there is nothing to wait for
    os._exit(code)


def _note(message: Any, *place: Any, **more: Any) -> None:
    from ..text import plain

    print(f"note: {plain(str(message))}", file=sys.stderr)
