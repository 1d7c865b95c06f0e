"""`namedrop up`: the local stack, until Ctrl-C or in the background."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from cli.errors import CommandError, Interrupted
from cli.home import Home, home_of
from cli.jars import kafka_classpath
from cli.stack import Size, Stack, end_what_is_left
from cli.state import StackState, running_state
from cli.steps import ONGOING, Steps
from shared.lifecycle import stop_on_signals

DETACHED_LOG = "up.log"
LOOK_SECONDS = 0.1
INTERRUPTED = 130
COMPLAINT = "namedrop: "
"""What comes before the reason why a command failed."""


def up(
    extractors: Annotated[int, typer.Option(min=1, max=64, help="Extractor processes.")] = 2,
    savers: Annotated[int, typer.Option(min=1, max=12, help="Saver processes.")] = 1,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Gateway worker processes.")] = 1,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The gateway's; 0 takes a free one.")] = 8000,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="In the background: return once it is ready.")] = False,
) -> None:
    """Start Kafka, the Firestore emulator and the three services, and keep them alive until Ctrl-C.

    Kafka's data stay in .namedrop, or in the folder that NAMEDROP_HOME names. The Firestore emulator keeps its
    documents in memory: after `namedrop down` they are gone, and at the next start the savers count again from what
    Kafka holds. Other settings come from the environment, such as EXTRACTOR_MODEL.
    """
    home, size = home_of(os.environ), Size(extractors, savers, workers, port)
    if detach:
        typer.echo(summary(start_detached(home, size), "`namedrop down`"))
    else:
        run(home, size)


def run(home: Home, size: Size) -> None:
    """Returns after Ctrl-C or SIGTERM, when everything has ended."""
    home.make()
    steps = Steps()
    with home.claim():
        end_what_is_left(home)
        stack = Stack(home, size, steps.tell)
        # Nothing was started until now, so the signals' own ways were right; a second one still ends us at once.
        stop = stop_on_signals()
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # which is what nohup asks for
            signal.signal(signal.SIGHUP, signal.getsignal(signal.SIGTERM))  # the terminal was closed
        try:
            with steps.shown():
                stack.start(stop)
            typer.echo(summary(stack.state(), "Ctrl-C, or `namedrop down` elsewhere"))
            stack.supervise(stop, lambda news: typer.echo(news, err=True))
        except Interrupted:
            raise typer.Exit(INTERRUPTED) from None
        finally:
            with steps.shown():
                stack.stop()


def start_detached(home: Home, size: Size) -> StackState:
    """Runs `namedrop up` in a session of its own and waits until it is ready.

    Raises CommandError with what it said when it ended instead.
    """
    home.make()
    with home.claim():
        pass  # if another stack is running, that is said here and not in a log file
    kafka_classpath()  # fetched here if need be, where its progress is seen
    home.logs.mkdir(exist_ok=True)
    log_path = home.logs / DETACHED_LOG
    log_path.touch(mode=0o600)  # the API key will be in it
    options = {"extractors": size.extractors, "savers": size.savers, "workers": size.workers, "port": size.port}
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", "up", *(f"--{name}={value}" for name, value in options.items())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | {"NAMEDROP_HOME": str(home.path)},
            start_new_session=True,
        )
    try:
        return _wait_ready(home, process, log_path)
    except BaseException:  # Ctrl-C too: what is half started must not stay
        process.terminate()
        process.wait()
        raise


def summary(state: StackState, way_to_stop: str) -> str:
    """What is where, for the user."""
    return f"""\
namedrop is up.
  Gateway    {state.gateway_url}  (the web page; the API's documentation: {state.gateway_url}/docs)
  API key    {state.api_key}
  Kafka      {state.bootstrap_servers}  (its console tools: namedrop kafka --help)
  Firestore  {state.firestore_emulator_host}  (emulator, project {state.project})
Stop it with {way_to_stop}."""


def _wait_ready(home: Home, process: subprocess.Popen[bytes], log_path: Path) -> StackState:
    steps, told = Steps(), 0
    with steps.shown():
        while process.poll() is None:
            state = running_state(home)
            if state and state.supervisor == process.pid:
                return state
            lines = log_path.read_text().splitlines()
            for line in lines[told:]:
                if line.endswith(ONGOING):
                    steps.tell(line.removesuffix(ONGOING))
            told = len(lines)
            time.sleep(LOOK_SECONDS)
    said = log_path.read_text().strip()
    why = said.partition(COMPLAINT)[2] or said.rpartition("\n")[2]  # settings complain without a prefix
    raise CommandError(why or f"The stack ended with status {process.returncode} and without a word.")
