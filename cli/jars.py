"""Kafka's published jars: exactly those of kafka-jars.txt, fetched once by jgo into the local Maven repository.

The list is a lock file, made by `python -m cli.lock_jars`. It spares every start the walk through two hundred POMs, and
its digests tell a whole jar from one that was cut short.
"""

import fcntl
import hashlib
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import truststore
from jgo.maven import Artifact, MavenContext
from rich.progress import track

from cli.errors import CommandError
from cli.output import err

LOCK_FILE = Path(__file__).with_name("kafka-jars.txt")
TRIES = 3
FETCHED_AT_ONCE = 8
# jgo warns of a checksum that differs and keeps the file; our own digests decide.
logging.getLogger("jgo").setLevel(logging.ERROR)


@dataclass(frozen=True)
class Jar:
    """One line of the lock file."""

    artifact: Artifact
    sha256: str

    @property
    def path(self) -> Path:
        """Where it is, or belongs."""
        path = self.artifact.cached_path
        assert path is not None  # only without a local repository, and MavenContext always has one
        return path

    @property
    def is_here(self) -> bool:
        """Whether it is here, and whole."""
        return self.path.is_file() and hashlib.sha256(self.path.read_bytes()).hexdigest() == self.sha256


def kafka_classpath() -> str:
    """For `java -cp`. Fetches what is missing, with a progress bar; raises CommandError when it can't be had."""
    context = MavenContext()
    jars = locked_jars(context)
    with _one_at_a_time(context.repo_cache):
        missing = [jar for jar in jars if not jar.is_here]
        if missing:
            truststore.inject_into_ssl()  # the machine's certificates, as a company's proxy may need, not certifi's
            pool = ThreadPoolExecutor(FETCHED_AT_ONCE)
            try:
                fetched = pool.map(_fetch, missing)
                list(track(fetched, "Fetching Kafka, once", total=len(missing), console=err))
            finally:
                pool.shutdown(cancel_futures=True)  # after Ctrl-C or a failure: those under way, no others
    return ":".join(str(jar.path) for jar in jars)


def locked_jars(context: MavenContext) -> list[Jar]:
    """The lock file's jars, in its order."""
    lines = [line for line in LOCK_FILE.read_text().splitlines() if not line.startswith("#")]
    return [_jar(context, *line.split()) for line in lines]


def _jar(context: MavenContext, coordinates: str, sha256: str) -> Jar:
    group, name, version = coordinates.split(":")
    return Jar(context.project(group, name).at_version(version).artifact(), sha256)


def _fetch(jar: Jar) -> None:
    problem = "what came has another SHA-256 than the lock file says"
    for _ in range(TRIES):
        jar.path.unlink(missing_ok=True)
        try:
            jar.artifact.resolve()
        except (OSError, RuntimeError) as error:  # requests' errors are OSErrors, jgo's RuntimeErrors
            problem = type(error).__name__  # their messages are paragraphs
        if jar.is_here:
            return
    raise CommandError(
        f"Kafka's {jar.path.name} could not be fetched ({problem}). "
        "Connect to the internet for the first start, or use `docker compose up` instead."
    )


@contextmanager
def _one_at_a_time(repository: Path) -> Iterator[None]:
    """Two stacks that start together on a new machine would write the same files."""
    repository.mkdir(parents=True, exist_ok=True)
    with (repository / ".namedrop.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
