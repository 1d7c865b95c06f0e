"""A real broker and a real Firestore emulator, three ways: the ones you name, containers, or the local stack's own."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from cli.emulator import start_emulator
from cli.kafka import start_kafka
from cli.ports import free_ports
from tests.eventually import eventually
from tests.kafka_tools import answers

KAFKA_IMAGE = "apache/kafka:4.1.0"
FIRESTORE_IMAGE = "google/cloud-sdk:emulators"
EMULATOR_PORT = 8080


@dataclass(frozen=True)
class Servers:
    """Where they are."""

    bootstrap_servers: str
    firestore_emulator_host: str

    @property
    def environment(self) -> dict[str, str]:
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "FIRESTORE_EMULATOR_HOST": self.firestore_emulator_host,
            "GOOGLE_CLOUD_PROJECT": "namedrop-tests",
        }


@cache
def docker_answers() -> bool:
    """Asked by the command line: docker-py leaves its socket open when nobody is there."""
    command = ["docker", "version", "--format", "{{.Server.Version}}"]
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=10).returncode == 0
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False


def kafka_source() -> str:
    """Which way the broker is had in this run."""
    return os.environ.get("KAFKA_BOOTSTRAP_SERVERS") or ("container" if docker_answers() else "embedded")


def firestore_source() -> str:
    """Which way the emulator is had in this run."""
    return os.environ.get("FIRESTORE_EMULATOR_HOST") or ("container" if docker_answers() else "embedded")


@contextmanager
def start_servers(folder: Path) -> Iterator[Servers]:
    """Both, ready. Those that were started here are stopped at the end."""
    with ExitStack() as stack:
        match kafka_source():
            case "embedded":
                bootstrap_servers = stack.enter_context(start_kafka(folder / "kafka")).bootstrap_servers
            case "container":
                bootstrap_servers = stack.enter_context(kafka_container())
            case named:
                bootstrap_servers = named
        match firestore_source():
            case "embedded":
                emulator_host = stack.enter_context(start_emulator(folder)).host
            case "container":
                emulator_host = stack.enter_context(firestore_container())
            case named:
                emulator_host = named
        yield Servers(bootstrap_servers, emulator_host)


@contextmanager
def kafka_container() -> Iterator[str]:
    """Its bootstrap servers. The port is fixed before the start, because the broker has to advertise it."""
    (port,) = free_ports(1)
    settings = {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        # INTERNAL is for the broker itself: it sends transaction markers to its own address, and the one on this
        # machine does not exist inside the container.
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093,INTERNAL://:9094",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{port},INTERNAL://localhost:9094",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "INTERNAL",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_GROUP_CONSUMER_SESSION_TIMEOUT_MS": "10000",
        "KAFKA_GROUP_CONSUMER_MIN_SESSION_TIMEOUT_MS": "10000",
        "KAFKA_GROUP_CONSUMER_HEARTBEAT_INTERVAL_MS": "3000",
        "KAFKA_GROUP_CONSUMER_MIN_HEARTBEAT_INTERVAL_MS": "3000",
    }
    container = DockerContainer(KAFKA_IMAGE).with_bind_ports(9092, port)
    for name, value in settings.items():
        container = container.with_env(name, value)
    with container:
        eventually(lambda: answers(f"127.0.0.1:{port}"))
        yield f"127.0.0.1:{port}"


@contextmanager
def firestore_container() -> Iterator[str]:
    """Its host and port."""
    command = f"gcloud emulators firestore start --host-port=0.0.0.0:{EMULATOR_PORT}"
    container = (
        DockerContainer(FIRESTORE_IMAGE)
        .with_exposed_ports(EMULATOR_PORT)
        .with_command(command)
        .waiting_for(LogMessageWaitStrategy("is now running"))
    )
    with container:
        yield f"127.0.0.1:{container.get_exposed_port(EMULATOR_PORT)}"
