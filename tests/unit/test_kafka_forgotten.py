"""A client that knows no broker any more is given up; one whose broker is away waits."""

import time
from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError

from cli.ports import free_ports
from shared import kafka
from shared.errors import Fatal
from shared.kafka import open_consumer
from shared.settings import CommonSettings, load

SECONDS = 30.0


def settings(monkeypatch: pytest.MonkeyPatch, bootstrap_servers: str) -> CommonSettings:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", bootstrap_servers)
    return load(CommonSettings)


def poll(settings: CommonSettings, until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    with open_consumer(settings, "group", statistics_interval_ms=100) as consumer:
        consumer.subscribe(["topic"])
        while not until():
            assert time.monotonic() < deadline
            consumer.poll(0.1)


def test_a_client_without_any_broker_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """As librdkafka is when it has removed the last: here it never had one. Closing it does not hang."""
    with pytest.raises(Fatal, match="no broker"):
        poll(settings(monkeypatch, ","), until=lambda: False)


def test_a_broker_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays known: reports that come after it was not reached change nothing."""
    away, reports = list[KafkaError](), list[str]()
    look = kafka._give_up_without_brokers

    def note(report: str) -> None:
        look(report)
        reports.extend([report] if away else [])

    monkeypatch.setattr(kafka, "_log_error", away.append)
    monkeypatch.setattr(kafka, "_give_up_without_brokers", note)
    poll(settings(monkeypatch, f"127.0.0.1:{free_ports(1)[0]}"), until=lambda: len(reports) >= 3)
