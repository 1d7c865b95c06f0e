"""`namedrop stop` and `namedrop start`: one kind of service of the running stack, while everything else goes on."""

import os
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import httpx
import typer

from cli.errors import CommandError
from cli.home import Home, home_of
from cli.running import nothing_runs
from cli.state import RunningProcess, running_state

WITHIN_SECONDS = 120.0
LOOK_SECONDS = 0.1
ASK_SECONDS = 2.0


class Kind(StrEnum):
    """What can be stopped by itself."""

    EXTRACTOR = "extractor"
    SAVER = "saver"


KindArgument = Annotated[Kind, typer.Argument(help="Which services.")]


def stop(kind: KindArgument) -> None:
    """Stop the extractors or the savers, as Kafka asks for before it resets the offsets of their group.

    They finish the batch in hand and leave the group. `namedrop start` brings them back.
    """
    home = _home()
    home.stop_kinds(home.stopped_kinds() | {kind})
    _wait(home, kind, lambda process: process.pid is None, "stop")
    typer.echo(f"The {kind}s have stopped. Start them again with: namedrop start {kind}")


def start(kind: KindArgument) -> None:
    """Start the extractors or the savers again."""
    home = _home()
    home.stop_kinds(home.stopped_kinds() - {kind})
    _wait(home, kind, lambda process: process.pid is not None and _in_its_group(kind, process), "start")
    typer.echo(f"The {kind}s are running.")


def _home() -> Home:
    home = home_of(os.environ)
    if running_state(home) is None:
        raise CommandError(nothing_runs(home))
    return home


def _wait(home: Home, kind: Kind, done: Callable[[RunningProcess], bool], what: str) -> None:
    deadline = time.monotonic() + WITHIN_SECONDS
    while True:
        state = running_state(home)
        if state is None:
            raise CommandError("The stack ended meanwhile. Start it with `namedrop up`.")
        processes = {name: process for name, process in state.processes.items() if name.startswith(kind)}
        waiting = [name for name, process in processes.items() if not done(process)]
        if not waiting:
            return
        if time.monotonic() > deadline:
            raise CommandError(
                f"{', '.join(waiting)} did not {what} within {WITHIN_SECONDS:g} s; see the logs in {home.logs}"
            )
        time.sleep(LOOK_SECONDS)


def _in_its_group(kind: Kind, process: RunningProcess) -> bool:
    try:
        answer = httpx.get(str(process.metrics_url), timeout=ASK_SECONDS, trust_env=False)
    except httpx.HTTPError:
        return False
    return f"namedrop_{kind}_ready 1.0" in answer.text
