"""`namedrop demo`: the project's own articles through the whole pipeline, and a check that each is counted once."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Annotated
from uuid import uuid4

import httpx
import typer

from cli import output
from cli.errors import CommandError, Interrupted
from cli.gateway import open_gateway
from cli.home import Home
from cli.lag import unread
from cli.loading import File, Load
from cli.resume import Progress
from cli.running import PipelineSettings, open_kafka, pipeline_settings, running_stack, stack_settings
from cli.stack import Size, Stack
from cli.state import StackState
from cli.steps import Steps
from cli.top import HEADINGS, publications, publications_table, with_names
from shared.lag import count_records
from shared.lifecycle import stop_on_signals
from shared.names import publication_key

ARTICLES = Path(__file__).parent / "demo"
SIZE = Size(extractors=2, savers=1, workers=1, port=0)
LOOK_SECONDS = 0.3
SETTLED_SECONDS = 3.0
"""How long the counts must stand still, with nothing left to read, before a wrong one is taken for final."""
STALLED_SECONDS = 60.0
"""How long nothing at all may move before the demo gives up."""
INTERRUPTED = 130


def demo(
    url: Annotated[
        str | None, typer.Option(envvar="NAMEDROP_URL", help="A gateway; its Kafka is what the environment says.")
    ] = None,
    key: Annotated[str | None, typer.Option(envvar="NAMEDROP_API_KEY", help="API key for that gateway.")] = None,
) -> None:
    """Show the whole pipeline at work on the project's own articles.

    Loads them, waits until they are counted, and shows who is mentioned where. Uses the stack of `namedrop up`
    where one is running, and leaves it running; else it starts one in a temporary folder and removes it at the end.
    With --url, the pipeline behind that gateway, which may hold the same articles already: they count again.
    Exit status 0: every article that was accepted is counted, once.
    """
    steps, stop = Steps(), stop_on_signals()
    signal.signal(signal.SIGHUP, signal.getsignal(signal.SIGTERM))  # the terminal was closed
    try:
        if url:
            show(Target(url, key, pipeline_settings()), steps, stop)
        elif state := running_stack():
            show(Target.of(state), steps, stop)
        else:
            with temporary_stack(steps, stop) as stack:
                show(Target.of(stack.state()), steps, stop, lambda: check_alive(stack))
            output.out.print("That stack was only for this. `namedrop up` starts one that stays.")
    except Interrupted:
        raise typer.Exit(INTERRUPTED) from None


@contextmanager
def temporary_stack(steps: Steps, stop: Event) -> Iterator[Stack]:
    """A stack on free ports in a folder of its own; both are gone afterwards, whatever happens."""
    with TemporaryDirectory(prefix="namedrop-demo-", ignore_cleanup_errors=True) as folder:
        home = Home(Path(folder))
        home.make()
        with home.claim():
            stack = Stack(home, SIZE, steps.tell)
            try:
                with steps.shown():
                    stack.start(stop)
                yield stack
            finally:
                with steps.shown():
                    stack.stop()


def check_alive(stack: Stack) -> None:
    """Raises CommandError when a process of it died: a temporary stack has nobody who starts it again."""
    for process in stack.processes:
        if not process.running:
            last_line = process.log_path.read_text(errors="replace").rstrip().rpartition("\n")[2]
            raise CommandError(f"{process.name} {process.ending}; the last line of its log: {last_line}")


@dataclass(frozen=True)
class Target:
    """Where the articles go."""

    url: str
    key: str | None
    settings: PipelineSettings

    @classmethod
    def of(cls, stack: StackState) -> "Target":
        return cls(stack.gateway_url, stack.api_key, stack_settings(stack))


def show(target: Target, steps: Steps, stop: Event, check: Callable[[], None] = lambda: None) -> None:
    """Loads, waits, prints. check: raises when the stack can't work any more.

    Raises CommandError unless each accepted article was counted once.
    """
    settings = target.settings
    files = [File(path, uuid4().hex, path.stat().st_size) for path in sorted(ARTICLES.glob("*.jsonl"))]
    keys = publication_keys(files)
    with open_gateway(target.url, target.key) as client, open_kafka(settings) as admin, steps.shown():
        steps.tell("Loading the articles")
        before, began_at = articles_counted(client, keys), time.monotonic()
        load = Load(client, files, Progress())
        if not load.run(stop, ignore):
            raise Interrupted
        accepted, refused = load.progress.accepted, load.progress.refused
        steps.tell("Counting")

        def look() -> Look:
            check()
            # In this order: when the extractors have nothing left, the savers have everything before them.
            extractor = count_records(settings, unread(settings, admin, settings.extractor_group, settings.posts_topic))
            saver = count_records(settings, unread(settings, admin, settings.saver_group, settings.entities_topic))
            return Look(extractor, saver, articles_counted(client, keys) - before)

        counted = wait_until_counted(look, accepted, steps.tell if output.err.is_terminal else ignore, stop)
        seconds = time.monotonic() - began_at
        found = [each for each in publications(client) if each["key"] in keys]
        table = publications_table(with_names(client, found, list(HEADINGS)))
    output.out.print(table)
    if counted != accepted or refused:
        raise CommandError(
            f"{accepted} articles were accepted, {counted} are counted, {refused.total()} were refused"
            + "".join(f"; {why}: {', '.join(load.progress.refused_at[why])}" for why in refused)
        )
    output.out.print(f"{accepted} articles accepted, {counted} counted: every one exactly once, in {seconds:.1f} s.")


@dataclass(frozen=True)
class Look:
    """How far the pipeline is."""

    extractor_lag: int
    saver_lag: int
    counted: int

    @property
    def at_rest(self) -> bool:
        return self.extractor_lag == self.saver_lag == 0


def wait_until_counted(look: Callable[[], Look], accepted: int, tell: Callable[[str], None], stop: Event) -> int:
    """Looks until nothing is left to read and the count is `accepted`, or another that stands still. Returns it.

    Raises CommandError when nothing moves any more, Interrupted.
    """
    last, moved_at = None, time.monotonic()
    while True:
        now = look()
        if now != last:
            last, moved_at = now, time.monotonic()
        still_seconds = time.monotonic() - moved_at
        if now.at_rest and (now.counted == accepted or still_seconds > SETTLED_SECONDS):
            return now.counted
        if still_seconds > STALLED_SECONDS:
            raise CommandError(
                f"Nothing has moved for {STALLED_SECONDS:.0f} s: {now.counted} of {accepted} articles are counted, "
                f"{now.extractor_lag} wait for an extractor and {now.saver_lag} for a saver; see `namedrop status`"
            )
        tell(f"Counting: {now.counted} of {accepted}")
        if stop.wait(LOOK_SECONDS):
            raise Interrupted


def articles_counted(client: httpx.Client, keys: set[str]) -> int:
    """Of these publications."""
    return sum(int(each["articles"]) for each in publications(client) if each["key"] in keys)


def publication_keys(files: list[File]) -> set[str]:
    """The keys of all publications that the files name."""
    lines = (line for file in files for line in file.path.read_text(encoding="utf-8").splitlines())
    return {publication_key(json.loads(line)["publication"]) for line in lines if line}


def ignore(_: object) -> None:
    """For those who do not look."""
