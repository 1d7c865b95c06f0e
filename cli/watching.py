"""`--watch`: the same look again and again, in place, until Ctrl-C."""

import time
from collections.abc import Callable

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from cli import output
from cli.errors import CommandError
from shared.errors import NamedropError

WATCH_SECONDS = 2.0


def watch(look: Callable[[], RenderableType], every_seconds: float = WATCH_SECONDS) -> None:
    """The first look may fail; a later one that does is told, and the look before it stays."""
    last = look()
    try:
        with Live(last, console=output.out, auto_refresh=False) as live:
            while True:
                time.sleep(every_seconds)
                try:
                    last = look()
                    live.update(last, refresh=True)
                except (CommandError, NamedropError) as error:
                    live.update(Group(last, Text(str(error), "red")), refresh=True)
    except KeyboardInterrupt:
        return


def refuse_json(*, as_json: bool) -> None:
    """Raises BadParameter: a script that reads JSON asks again by itself."""
    if as_json:
        raise typer.BadParameter("--watch is for people; leave it out with --json")
