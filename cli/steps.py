"""What a long command is doing just now."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.markup import escape
from rich.status import Status

from cli.output import err

ONGOING = " …"


class Steps:
    """On stderr: in a terminal, while they are `shown`, one line that changes; else a line for each."""

    def __init__(self) -> None:
        self._status: Status | None = None

    @contextmanager
    def shown(self) -> Iterator[None]:
        if not err.is_terminal:
            yield
            return
        with err.status("") as status:
            self._status = status
            try:
                yield
            finally:
                self._status = None

    def tell(self, step: str) -> None:
        if self._status:
            self._status.update(escape(step))
        else:
            typer.echo(step + ONGOING, err=True)
