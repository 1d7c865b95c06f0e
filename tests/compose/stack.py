"""docker-compose.yml as a user runs it: a project of its own, on free ports, gone at the end."""

import json
import os
import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from threading import Event
from typing import Any
from uuid import uuid4

import httpx

from cli.errors import CommandError
from cli.gateway import open_gateway
from cli.ports import free_ports
from cli.top import entities, publications
from shared.names import canonical_entity
from tests.eventually import eventually, settles
from tests.oracle import Counts, expected_counts
from tests.pipeline import articles

PROJECT_FOLDER = Path(__file__).parents[2]
NOTHING = Path(__file__).with_name("nothing.env")
DEVELOPMENT_KEY = "namedrop-development-key"
CONSUMER_GROUPS = ("/opt/kafka/bin/kafka-consumer-groups.sh", "--bootstrap-server", "localhost:9092")
COMMAND_SECONDS = 1800.0
"""Images are built from nothing, if need be."""
READY_SECONDS = 900.0
"""Sixteen interpreters that load a model, on two cores that others may want too."""
COUNTED_SECONDS = 900.0
SEND_SECONDS = 300.0
AGAIN_SECONDS = 0.2
LOAD_SECONDS = 0.2
ALL = 1_000_000


class ComposeStack:
    """`docker compose`, or what COMPOSE names (`docker-compose` is 1.29), on the project's own file, or on others."""

    broker = "kafka"
    """The service that is Kafka, with a listener for tools in its container at port 9092."""

    def __init__(
        self,
        folder: Path = PROJECT_FOLDER,
        files: Sequence[str] = ("docker-compose.yml",),
        env_file: Path = NOTHING,
        key: str = DEVELOPMENT_KEY,
    ) -> None:
        self._folder = folder
        self.gateway_port, self.broker_port = free_ports(2)
        self.project = f"namedrop-test-{secrets.token_hex(4)}"
        # Whatever got a 201 since the stack is up: the read side tells of all of it, so a test adds to those before it.
        self.posted: list[Mapping[str, str]] = []
        self.sent_again = 0
        compose = os.environ.get("COMPOSE", "docker compose").split()
        named = [argument for file in files for argument in ("--file", file)]
        self._command = [*compose, "--project-name", self.project, *named, "--env-file", str(env_file)]
        # Nothing of the caller's, nor of an .env file of theirs, but the way to the engine.
        kept = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT")
        self._environment = {name: os.environ[name] for name in kept if name in os.environ} | {
            "GATEWAY_PORT": str(self.gateway_port),
            "BROKER_PORT": str(self.broker_port),
        }
        self.client = open_gateway(f"http://127.0.0.1:{self.gateway_port}", key)

    # Containers

    def compose(self, *arguments: str) -> str:
        """Its output. Raises AssertionError with all it said when it fails."""
        return self._run([*self._command, *arguments])

    def docker(self, *arguments: str) -> str:
        return self._run(["docker", *arguments])

    def _run(self, command: Sequence[str]) -> str:
        done = self._try(command)
        assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-4000:]}{done.stderr[-8000:]}"
        return done.stdout

    def _try(self, command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command,
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )

    def up(self, *services: str, extractors: int, build: bool = False) -> None:
        """Brings up what is down, and as many extractors as asked for; returns when their group is whole."""
        began_at = time.monotonic()
        arguments = ["--build"] if build else []
        self.compose("up", "--detach", *arguments, "--scale", f"extractor={extractors}", *services)
        # Docker's word first: Kafka's tool is a Java each time, and takes a core from those that are coming up.
        settles(lambda: self.healthy_count("extractor"), extractors, READY_SECONDS)
        settles(lambda: len(self.members("extractor")), extractors, READY_SECONDS)
        eventually(self.ready, READY_SECONDS)
        tell(f"{extractors} extractors are up after {time.monotonic() - began_at:.0f} s")

    def down(self) -> None:
        """Containers, networks and volumes; the images stay."""
        self.client.close()
        self.compose("--profile", "observability", "--profile", "demo", "down", "--volumes", "--timeout", "5")

    def containers(self, service: str) -> list[dict[str, Any]]:
        """What `docker inspect` says of those that run."""
        ids = self.compose("ps", "--quiet", service).split()
        found: list[dict[str, Any]] = json.loads(self.docker("inspect", *ids)) if ids else []
        return [container for container in found if container["State"]["Running"]]

    def exit_codes(self, container: str, since: float) -> list[int]:
        """Those that a container has ended with since then (Unix time)."""
        told = ("--format", "{{.Actor.Attributes.exitCode}}", "--filter", f"container={container}")
        period = ("--since", f"{since:.3f}", "--until", f"{time.time():.3f}")
        return [int(code) for code in self.docker("events", "--filter", "event=die", *told, *period).split()]

    def kill(self, service: str, count: int = 1) -> None:
        """SIGKILL."""
        ids = [container["Id"] for container in self.containers(service)[:count]]
        assert len(ids) == count
        self.docker("kill", *ids)

    def healthy_count(self, service: str) -> int:
        return sum(each["State"]["Health"]["Status"] == "healthy" for each in self.containers(service))

    def healthy(self, service: str) -> bool:
        return self.healthy_count(service) == len(self.containers(service)) > 0

    # Kafka

    def members(self, group: str) -> list[int]:
        """How many partitions each member of a group has, by the console tool in Kafka's container; empty while Kafka
        is away, or a member still has none.

        Not AdminClient.describe_consumer_groups: one that has timed out aborts the process when its answer comes after
        all (https://github.com/confluentinc/librdkafka/issues/4605).
        """
        describe = ("--describe", "--group", group, "--members")
        done = self._try([*self._command, "exec", "-T", self.broker, *CONSUMER_GROUPS, *describe])
        rows = [line.split() for line in done.stdout.splitlines() if line.strip()]
        header = next((row for row in rows if "#PARTITIONS" in row), None)
        if done.returncode or header is None:
            return []
        counts = [int(row[header.index("#PARTITIONS")]) for row in rows if row[0] == group]
        return counts if all(counts) else []

    def kafka_tool(self, name: str, *arguments: str, stdin: str = "") -> str:
        """One of Kafka's console tools on this machine, at the published port."""
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", "kafka", name, *arguments],
            cwd=PROJECT_FOLDER,
            env=os.environ | {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{self.broker_port}"},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    # Posts

    def ready(self) -> bool:
        try:
            return self.client.get("/health/ready", timeout=5).is_success
        except httpx.TransportError:
            return False

    def post(self, articles: Iterable[Mapping[str, str]]) -> None:
        """Each until its 201, under the same id, as a careful client does."""
        for article in articles:
            body = {**article, "id": uuid4().hex}
            deadline = time.monotonic() + SEND_SECONDS
            while not self._accepted(body):
                assert time.monotonic() < deadline, f"no 201 within {SEND_SECONDS:g} s"
                self.sent_again += 1
                time.sleep(AGAIN_SECONDS)
            self.posted.append(article)

    def _accepted(self, body: Mapping[str, str]) -> bool:
        try:
            status = self.client.post("/post/enqueue", json=body, timeout=10).status_code
        except httpx.TransportError:
            return False
        assert status in (201, 503), f"status {status}"
        return status == 201

    @contextmanager
    def load(self) -> Iterator[None]:
        """Posts come in for as long as the `with` lasts."""
        done = Event()

        def post_on() -> None:
            for article in cycle(articles(120)):
                self.post([article])
                if done.wait(LOAD_SECONDS):
                    return

        with ThreadPoolExecutor() as threads:
            loading = threads.submit(post_on)
            try:
                yield
            finally:
                done.set()
            loading.result()

    def counts(self) -> Counts:
        """By the read side; nothing while it is away."""
        counts: Counts = Counter()
        try:
            for publication in publications(self.client):
                key = publication["key"]
                counts[key, "articles"] = publication["articles"]
                counts[key, "mentions"] = publication["mentions"]
                for entity in entities(self.client, key, ALL):
                    counts[key, entity["label"], canonical_entity(entity["text"])] += entity["count"]
        except CommandError:
            return Counter()
        return +counts

    def articles_counted(self) -> int:
        return sum(count for key, count in self.counts().items() if key[1] == "articles")

    def everything_is_counted_once(self) -> None:
        """Each article that was ever posted here, and nothing else."""
        settles(self.articles_counted, len(self.posted), COUNTED_SECONDS)
        settles(self.counts, expected_counts(self.posted), COUNTED_SECONDS)


def tell(what: str) -> None:
    """For whoever waits with `pytest -s`: bringing sixteen containers up takes minutes."""
    sys.stderr.write(f"[compose] {what}\n")
