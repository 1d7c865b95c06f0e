"""A real Kafka broker: one KRaft node as a child process, on ports of its own, with its data in a folder."""

import logging
import os
import secrets
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from cli.errors import CommandError
from cli.jars import kafka_classpath
from cli.java import java_command
from cli.ports import LOOPBACK, free_ports
from cli.process import ChildProcess

READY_SECONDS = 60.0
ASK_SECONDS = 2.0
FORMAT_SECONDS = 60.0
PROBE = "namedrop-ready"
LOG_FLAGS = (
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    # Four hundred lines of settings, four times at each start.
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config.AbstractConfig=warn",
)

silent = logging.getLogger("namedrop.probe")
"""For clients that ask until they are answered: refused connections are no news."""
silent.addHandler(logging.NullHandler())
silent.propagate = False


class Broker(ChildProcess):
    """Restarts keep its ports and its data. A folder that was formatted before is used as it is."""

    def __init__(self, folder: Path, log_path: Path | None = None, environment: Mapping[str, str] = os.environ) -> None:
        super().__init__("kafka", log_path or folder / "kafka.log", environment)
        self.folder = folder.absolute()
        self.port, self._controller_port = free_ports(2)
        self._classpath = kafka_classpath()

    @property
    def bootstrap_servers(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def choose_ports(self) -> bool:
        self.port, self._controller_port = free_ports(2)
        return True

    def command(self) -> list[str]:
        """Writes the configuration with the present ports, and formats the data folder the first time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        properties = self.folder / "server.properties"
        wanted = broker_properties(self.folder / "data", self.port, self._controller_port)
        properties.write_text("".join(f"{name}={value}\n" for name, value in wanted.items()))
        if not (self.folder / "data" / "meta.properties").exists():
            self._format(properties)
        return java_command("kafka.Kafka", self._classpath, str(properties), flags=["-Xmx512m", *LOG_FLAGS])

    def is_ready(self) -> bool:
        """It lists itself, knows the offsets of a group, and wrote to its transaction log: services can begin."""
        if not _listens(self.port):
            return False
        client: dict[str, Any] = {"bootstrap.servers": self.bootstrap_servers}
        try:
            admin = AdminClient(client, logger=silent)
            if not admin.list_topics(timeout=ASK_SECONDS).brokers:
                return False
            # Not AdminClient.list_consumer_group_offsets: librdkafka 2.16 dies of a segmentation fault in it when the
            # group's coordinator is still loading (NOT_COORDINATOR), which is what we are here to find out.
            consumer = Consumer(client | {"group.id": PROBE}, logger=silent)
            try:
                consumer.committed([TopicPartition(PROBE, 0)], timeout=ASK_SECONDS)
            finally:
                consumer.close()
            Producer(client | {"transactional.id": PROBE}, logger=silent).init_transactions(ASK_SECONDS)
        except KafkaException:
            return False
        return True

    def _format(self, properties: Path) -> None:
        # Kafka's ids are 16 bytes in URL-safe base64, and one that begins with "-" is taken for an option.
        cluster_id = "N" + secrets.token_urlsafe(16)[1:]
        arguments = ["format", "--cluster-id", cluster_id, "--config", str(properties)]
        command = java_command("kafka.tools.StorageTool", self._classpath, *arguments, flags=["-Xmx128m"])
        done = subprocess.run(command, capture_output=True, text=True, timeout=FORMAT_SECONDS, check=False)
        if done.returncode:
            raise CommandError(f"Kafka could not format {self.folder}: {(done.stdout + done.stderr).strip()}")


def broker_properties(data: Path, port: int, controller_port: int) -> dict[str, object]:
    """One node that is broker and controller, for one machine: small, quick to start, quick to notice a dead member."""
    return {
        "process.roles": "broker,controller",
        "node.id": 1,
        # Static voters: unlike the dynamic quorum they are not stored, so the port may be another next time.
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        # A broker that was killed is refused as a duplicate of itself until its session is over, 9 s by default.
        "broker.session.timeout.ms": 5_000,
        "broker.heartbeat.interval.ms": 1_000,
        "log.dirs": data,
        "auto.create.topics.enable": "false",
        "offsets.topic.num.partitions": 8,
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.num.partitions": 8,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        # A transaction times out when the broker looks, by default every 10 s; its readers wait for that.
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1_000,
        # Short, so that they are read again at once: a broker that leads alone is made leader twice when it restarts,
        # and if the first reading lasts until then, members that have died meanwhile stay in their group for ever.
        "offsets.topic.segment.bytes": 1024 * 1024,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
        "group.consumer.session.timeout.ms": 10_000,
        "group.consumer.min.session.timeout.ms": 10_000,
        "group.consumer.heartbeat.interval.ms": 3_000,
        "group.consumer.min.heartbeat.interval.ms": 3_000,
    }


@contextmanager
def start_kafka(folder: Path) -> Iterator[Broker]:
    """A broker that is ready, with its data and log in `folder`; stopped at the end, the folder stays."""
    broker = Broker(folder)
    try:
        broker.start()
        broker.wait_ready(READY_SECONDS)
        yield broker
    finally:
        broker.stop()


def _listens(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=ASK_SECONDS).close()
    except OSError:
        return False
    return True
