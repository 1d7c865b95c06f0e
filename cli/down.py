"""`namedrop down`: ends the local stack, even one whose supervisor was killed."""

import os
import signal
import time
from typing import Annotated

import typer

from cli.home import Home, home_of
from cli.stack import end_what_is_left
from cli.state import read_state
from cli.steps import Steps

ORDERLY_SECONDS = 180.0
"""More than the graces of all that is stopped one after the other."""
LOOK_SECONDS = 0.1


def down(
    wipe: Annotated[bool, typer.Option("--wipe", help="Remove its folder too: Kafka's data and the logs.")] = False,
) -> None:
    """Stop the stack of `namedrop up`. Kafka's data stay for the next start, the Firestore emulator's do not."""
    home = home_of(os.environ)
    running = home.exists and (home.holder() or read_state(home))
    if not running and not (wipe and home.exists):
        typer.echo(f"Nothing is running in {home.path}.")
        return
    steps = Steps()
    with steps.shown():
        steps.tell("Stopping")
        end_supervisor(home)
        with home.claim():
            end_what_is_left(home)
            if wipe:
                home.wipe()
    done = "Stopped" if running else "Nothing was running"
    typer.echo(f"{done}, and {home.path} is removed." if wipe else f"{done}.")


def end_supervisor(home: Home) -> None:
    """Has it stop everything in order, and waits until it has let go of the folder; kills it if it does not."""
    deadline = time.monotonic() + ORDERLY_SECONDS
    asked = False
    while (holder := home.holder()) is not None:
        late = time.monotonic() > deadline
        if late or not asked:
            os.kill(holder, signal.SIGKILL if late else signal.SIGTERM)
            asked = True
        time.sleep(LOOK_SECONDS)
