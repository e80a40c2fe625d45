"""How far the work is: bars in a terminal, silence elsewhere."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, final, runtime_checkable


@runtime_checkable
class Task(Protocol):
    """A piece of work under way."""

    def advance(self, steps: int = 1) -> None: ...


@runtime_checkable
class Progress(Protocol):
    """Where work reports itself."""

    def track(self, name: str, total: int) -> AbstractContextManager[Task]: ...

    def say(self, line: str) -> None: ...


@final
class Silent:
    """Reports nothing.

    >>> with Silent().track("reading", 3) as task:
    ...     task.advance(3)
    """

    @contextmanager
    def track(self, name: str, total: int) -> Iterator["Silent"]:
        yield self

    def advance(self, steps: int = 1) -> None: ...

    def say(self, line: str) -> None: ...


@final
class Bars:
    """A bar with the time left for each piece of work, on standard error; `say` prints above the bars."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Rich

        self.rich = Rich(
            TextColumn("{task.description:<28}"),
            BarColumn(30),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )

    @contextmanager
    def track(self, name: str, total: int) -> Iterator["_Bar"]:
        outermost = not self.rich.live.is_started
        if outermost:
            self.rich.start()
        bar = _Bar(self.rich, self.rich.add_task(name, total=total))
        try:
            yield bar
        finally:
            self.rich.remove_task(bar.number)
            if outermost:
                self.rich.stop()

    def say(self, line: str) -> None:
        self.rich.console.print(line, markup=False, highlight=False)


@final
class _Bar:
    def __init__(self, rich: object, number: object) -> None:
        self.rich: Any = rich
        self.number: Any = number

    def advance(self, steps: int = 1) -> None:
        self.rich.advance(self.number, steps)
