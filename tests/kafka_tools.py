"""Asking and feeding a broker from a test."""

import subprocess
from collections.abc import Iterable
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from cli.jars import kafka_classpath
from cli.java import java_command
from cli.kafka import silent

SECONDS = 30.0


def answers(bootstrap_servers: str) -> bool:
    """Whether a broker is there and answers."""
    try:
        AdminClient({"bootstrap.servers": bootstrap_servers}, logger=silent).list_topics(timeout=2)
    except KafkaException:
        return False
    return True


def produce(bootstrap_servers: str, topic: str, values: Iterable[bytes | None], key: str | None = None) -> None:
    """Puts records into a topic as the console producer would, acknowledged."""
    config: dict[str, Any] = {
        "bootstrap.servers": bootstrap_servers,
        "partitioner": "murmur2_random",
        "message.max.bytes": 20_000_000,
    }
    producer = Producer(config, logger=silent)
    for value in values:
        producer.produce(topic, value, key)
    assert producer.flush(SECONDS) == 0


def records(bootstrap_servers: str, topic: str) -> list[Message]:
    """All committed records of a topic that there are now."""
    config: dict[str, Any] = {
        "bootstrap.servers": bootstrap_servers,
        "group.id": "tests",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
    }
    consumer = Consumer(config, logger=silent)
    try:
        partitions = list(consumer.list_topics(topic, timeout=SECONDS).topics[topic].partitions)
        consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        found: list[Message] = []
        open_partitions = set(partitions)
        while open_partitions:
            record = consumer.poll(SECONDS)
            assert record is not None, f"{topic} did not end within {SECONDS:g} s"
            if record.error():
                open_partitions.discard(record.partition())
            else:
                found.append(record)
        return found
    finally:
        consumer.close()


def console_tool(main_class: str, bootstrap_servers: str, *arguments: str) -> str:
    """The output of one of Kafka's own console tools. Raises CalledProcessError with it when the tool fails."""
    command = java_command(
        main_class, kafka_classpath(), "--bootstrap-server", bootstrap_servers, *arguments, flags=["-Xmx128m"]
    )
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=SECONDS).stdout


def rewind(bootstrap_servers: str, group: str, topic: str) -> None:
    """`kafka-consumer-groups --reset-offsets --to-earliest`: the group must have no members."""
    console_tool(
        "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
        bootstrap_servers,
        *("--group", group, "--topic", topic, "--reset-offsets", "--to-earliest", "--execute"),
    )
