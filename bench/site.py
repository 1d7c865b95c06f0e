"""A broker, an emulator, and pipelines on them: the tests' own, with what a measurement asks for besides."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from cli.kafka import silent
from tests.eventually import eventually
from tests.pipeline import Pipeline, metric_of, run_pipeline
from tests.servers import Servers

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
FLUSH_SECONDS = 60.0
READY_SECONDS = 120.0


@dataclass(frozen=True)
class Site:
    """Where a measurement takes place, and how many rounds it has."""

    servers: Servers
    folder: Path
    rounds: int

    def pipeline(self, **settings: str) -> AbstractContextManager[Pipeline]:
        """Topics, groups and a Firestore root of its own."""
        return run_pipeline(self.servers, self.folder, **ONE_THREAD, **settings)


def produce_evenly(pipeline: Pipeline, topic: str, values: Sequence[bytes], partitions: int) -> None:
    """The same number into each partition, all acknowledged."""
    with producer_of(pipeline) as producer:
        for number, value in enumerate(values):
            producer.produce(pipeline.topics[topic], value, partition=number % partitions)


def produce_keyed(pipeline: Pipeline, topic: str, records: Iterable[tuple[str, bytes]]) -> None:
    """Keys and values, each into the partition of its key, all acknowledged."""
    with producer_of(pipeline) as producer:
        for key, value in records:
            producer.produce(pipeline.topics[topic], value, key)


@contextmanager
def producer_of(pipeline: Pipeline) -> Iterator[Producer]:
    """With room for all that a measurement sends; it is sent when the `with` ends."""
    config: dict[str, Any] = {
        "bootstrap.servers": pipeline.servers.bootstrap_servers,
        "partitioner": "murmur2_random",
        "enable.idempotence": True,  # in order, whatever is sent again: the ledger takes what comes late for counted
        "queue.buffering.max.kbytes": 1_000_000,
        "queue.buffering.max.messages": 1_000_000,
    }
    producer = Producer(config, logger=silent)
    yield producer
    if producer.flush(FLUSH_SECONDS):
        raise TimeoutError(f"Kafka did not acknowledge everything within {FLUSH_SECONDS:g} s")


def wait_for_partitions(pipeline: Pipeline, kind: str, partitions: int, processes: int) -> None:
    """Until the processes share all partitions evenly."""

    def shared() -> bool:
        workers = [service for service in pipeline.services if service.kind == kind and service.running]
        held = [metric_of(worker, f"namedrop_{kind}_partitions") for worker in workers]
        return len(held) == processes and all(each == partitions / processes for each in held)

    eventually(shared, READY_SECONDS)


def wait_until(condition: Callable[[], bool], within_seconds: float = 600.0, every_seconds: float = 1.0) -> None:
    """Seldom looked at: a scrape of a service's metrics takes it some milliseconds of work."""
    deadline = time.monotonic() + within_seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Not done within {within_seconds:g} s")
        time.sleep(every_seconds)


def module(name: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", name, *map(str, arguments)]


def outputs(commands: list[list[str]]) -> list[str]:
    """What the commands print, run at the same time. Raises CalledProcessError."""
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    printed = [process.communicate()[0] for process in running]
    for process in running:
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, process.args)
    return printed


def last_ms(pipeline: Pipeline, topic: str) -> float:
    """When the last record of a topic was made, by Kafka's timestamps."""
    return float(max(record.timestamp()[1] for record in pipeline.records(topic)))


def now_ms() -> float:
    """As Kafka's timestamps count."""
    return time.time() * 1000
