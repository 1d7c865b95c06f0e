"""Where a benchmark works: a broker, an emulator, and pipelines of its own on them."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from cli.errors import CommandError
from cli.service import Service
from tests.pipeline import Pipeline, run_pipeline
from tests.servers import Servers, start_servers

LOOK_SECONDS = 0.05
READY_SECONDS = 240.0


@dataclass(frozen=True)
class Lab:
    """scale: part of the usual length of every run; below 1 is for trying things out."""

    servers: Servers
    folder: Path
    scale: float

    def sized(self, usual: float) -> int:
        """So many of something, in a run of this scale."""
        return max(1, round(usual * self.scale))

    @contextmanager
    def pipeline(self, **settings: str) -> Iterator[Pipeline]:
        """Topics, groups and a Firestore root that nothing has touched; no service runs yet. All defaults are the
        services' own but for `settings`."""
        with run_pipeline(self.servers, Path(mkdtemp(dir=self.folder)), **settings) as pipeline:
            yield pipeline


@contextmanager
def start_lab(folder: Path, scale: float) -> Iterator[Lab]:
    """The broker and the emulator are new, unless KAFKA_BOOTSTRAP_SERVERS or FIRESTORE_EMULATOR_HOST name others."""
    with start_servers(folder) as servers:
        yield Lab(servers, folder, scale)


def start(services: Sequence[Service]) -> None:
    """All at once; returns when each is ready, which takes its time where sixteen share two cores."""
    for service in services:
        service.start()
    for service in services:
        service.wait_ready(READY_SECONDS)


def wait_until(
    what: str, condition: Callable[[], bool], within_seconds: float, every_seconds: float = LOOK_SECONDS
) -> None:
    """Raises CommandError that names `what` when the time is up."""
    deadline = time.monotonic() + within_seconds
    while not condition():
        if time.monotonic() > deadline:
            raise CommandError(f"{what}: not within {within_seconds:g} s")
        time.sleep(every_seconds)


@contextmanager
def every(seconds: float, look: Callable[[], None]) -> Iterator[None]:
    """Calls `look` again and again, in a thread, while the `with` lasts."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(seconds):
            look()

    thread = threading.Thread(target=run, name="every")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
