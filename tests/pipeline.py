"""The three services as real processes, on topics, groups and a Firestore root of their own."""

import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from confluent_kafka.admin import AdminClient
from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore_v1 import Client
from prometheus_client.parser import text_string_to_metric_families

from cli.kafka import silent
from cli.keys import entry, new_key
from cli.service import Gateway, Service, Worker
from services.saver.settings import SaverSettings
from shared.topics import ensure_topics, wanted
from tests.eventually import settles
from tests.kafka_tools import produce, records
from tests.oracle import Counts, expected_counts, stored_counts
from tests.servers import Servers

READY_SECONDS = 60.0


class Pipeline:
    """Starts and stops services; posts articles; reads the counts."""

    def __init__(self, servers: Servers, folder: Path, **settings: str) -> None:
        """settings: further environment variables of the services."""
        self.name = f"t{secrets.token_hex(4)}"
        self.servers = servers
        self.root = f"tests/{self.name}"
        self.key = new_key()
        self.topics = {name: f"{self.name}.{name}" for name in ("posts", "entities", "posts_dlq", "entities_dlq")}
        self.groups = {name: f"{self.name}.{name}" for name in ("extractor", "saver")}
        self.environment = {
            **os.environ,
            **servers.environment,
            **{f"{name.upper()}_TOPIC": topic for name, topic in self.topics.items()},
            **{f"{name.upper()}_GROUP": group for name, group in self.groups.items()},
            "FIRESTORE_ROOT": self.root,
            "API_KEYS": entry("tests", self.key),
            **settings,
        }
        self.firestore = emulator_client(servers)
        self.services: list[Service] = []
        self.folder = folder
        self.make_topics()

    def make_topics(self) -> None:
        topics = SaverSettings.model_validate({f"{name}_topic": topic for name, topic in self.topics.items()})
        admin = AdminClient({"bootstrap.servers": self.servers.bootstrap_servers}, logger=silent)
        ensure_topics(admin, wanted(topics))

    # Services

    def start(self, *kinds: str, **settings: str) -> None:
        """Gateways, extractors, savers; returns when all of them are ready."""
        started = [self.launch(kind, **settings) for kind in kinds]
        for service in started:
            service.wait_ready(READY_SECONDS)

    def start_all(self) -> None:
        """One of each."""
        self.start("gateway", "extractor", "saver")

    def launch(self, kind: str, **settings: str) -> Service:
        """One, without waiting for it."""
        number = len(self.services)
        environment = {**self.environment, **settings}
        log_path = self.folder / f"{kind}-{number}.log"
        service: Service = (
            Gateway(log_path, environment, port=0, workers=int(settings.get("WORKERS", "1")))
            if kind == "gateway"
            else Worker(kind, number, log_path, environment)
        )
        self.services.append(service)
        service.start()
        return service

    def the(self, kind: str) -> Service:
        """The last one started of a kind."""
        return next(service for service in reversed(self.services) if service.kind == kind)

    def stop(self) -> None:
        for service in self.services:
            service.terminate()
        for service in self.services:
            service.stop()
        self.firestore.close()

    def metric(self, kind: str, name: str, **labels: str) -> float:
        """The sum of a metric over the running services of a kind."""
        return sum(metric_of(each, name, **labels) for each in self.services if each.kind == kind and each.running)

    # What goes in

    def post(self, article: Mapping[str, Any]) -> httpx.Response:
        """Over HTTP, through the last gateway started."""
        return httpx.post(
            f"{self.the('gateway').url}/post/enqueue", json=article, headers={"X-API-Key": self.key}, timeout=30
        )

    def produce_posts(self, posts: Iterable[Mapping[str, Any]]) -> None:
        """Past the gateway, as the console producer would."""
        self.produce("posts", [json.dumps(post).encode() for post in posts])

    def produce(self, topic: str, values: Iterable[bytes | None], key: str | None = None) -> None:
        produce(self.servers.bootstrap_servers, self.topics[topic], values, key)

    # What comes out

    def counts(self) -> Counts:
        return stored_counts(self.firestore, self.root)

    def counts_become(self, posts: Iterable[Mapping[str, str]], within_seconds: float = 60) -> None:
        """Each of `posts` is counted once, and nothing else is."""
        settles(self.counts, expected_counts(posts), within_seconds)

    def records(self, topic: str) -> list[Any]:
        return records(self.servers.bootstrap_servers, self.topics[topic])


def metric_of(service: Service, name: str, **labels: str) -> float:
    """The sum of a metric of one running service."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(httpx.get(f"{service.url}/metrics").text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def emulator_client(servers: Servers) -> Client:
    """A client of the test's own, so that no environment variable of the test process matters."""
    previous = os.environ.get("FIRESTORE_EMULATOR_HOST")
    os.environ["FIRESTORE_EMULATOR_HOST"] = servers.firestore_emulator_host
    try:
        return Client(project=servers.environment["GOOGLE_CLOUD_PROJECT"], credentials=AnonymousCredentials())
    finally:
        if previous is None:
            del os.environ["FIRESTORE_EMULATOR_HOST"]
        else:
            os.environ["FIRESTORE_EMULATOR_HOST"] = previous


@contextmanager
def run_pipeline(servers: Servers, folder: Path, **settings: str) -> Iterator[Pipeline]:
    """A pipeline whose services are stopped at the end, whatever happened."""
    pipeline = Pipeline(servers, folder, **settings)
    try:
        yield pipeline
    finally:
        pipeline.stop()


def articles(count: int) -> list[dict[str, str]]:
    """Articles of the demo, the first `count`."""
    folder = Path(__file__).parents[1] / "cli" / "demo"
    lines = [line for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines()]
    return [json.loads(line) for line in lines[:count]]
