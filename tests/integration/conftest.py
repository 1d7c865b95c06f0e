"""One broker and one emulator for the whole run; topics, groups and a Firestore root for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline import Pipeline, run_pipeline
from tests.servers import Servers, firestore_source, kafka_source, start_servers


def pytest_report_header() -> str:
    return f"kafka: {kafka_source()}, firestore: {firestore_source()}"


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A real broker and a real emulator that tests share: nobody may kill or wipe them."""
    with start_servers(tmp_path_factory.mktemp("servers")) as found:
        yield found


@pytest.fixture
def pipeline(servers: Servers, tmp_path: Path) -> Iterator[Pipeline]:
    """The three services, not started yet."""
    with run_pipeline(servers, tmp_path) as prepared:
        yield prepared
