"""The gateway while its broker is gone, or does not answer, and after."""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from cli.kafka import Broker, start_kafka
from cli.service import Gateway
from tests.eventually import eventually
from tests.pipeline import Pipeline, run_pipeline
from tests.servers import Servers

ACK_SECONDS = 2.5
IN_TIME = 3.0
"""Seconds after which clients of the first version give up."""
READY_SECONDS = 60.0
POST = {"publication": "The Harbour Courier", "content": "Wangari Maathai spoke in Nairobi."}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker of this module's own: it is killed."""
    with start_kafka(tmp_path_factory.mktemp("kafka")) as started:
        yield started


@pytest.fixture
def pipeline(broker: Broker, tmp_path: Path) -> Iterator[Pipeline]:
    """Before that broker. There is no Firestore, and nothing here misses it."""
    with run_pipeline(Servers(broker.bootstrap_servers, "127.0.0.1:1"), tmp_path) as prepared:
        yield prepared


@dataclass
class Answer:
    status: int
    retry_after: str | None
    seconds: float


def post(pipeline: Pipeline, post_id: str) -> Answer:
    started = time.monotonic()
    answer = pipeline.post(POST | {"id": post_id})
    return Answer(answer.status_code, answer.headers.get("Retry-After"), time.monotonic() - started)


def get(pipeline: Pipeline, path: str) -> int:
    return httpx.get(pipeline.the("gateway").url + path, timeout=10).status_code


def is_refused_in_time(answer: Answer) -> bool:
    return (answer.status, answer.retry_after) == (503, "1") and answer.seconds < IN_TIME


def test_a_broker_that_dies_and_comes_back(pipeline: Pipeline, broker: Broker) -> None:
    """503 within the time limit while it is away, 201 soon after it is back, by the same process; and every post that
    got a 201 is there once."""
    pipeline.start("gateway")
    pid = pipeline.the("gateway").pid
    accepted = [f"before-{number}" for number in range(20)]
    assert {post(pipeline, post_id).status for post_id in accepted} == {201}
    broker.kill()
    assert all(is_refused_in_time(post(pipeline, f"away-{number}")) for number in range(2))
    assert get(pipeline, "/health/ready") == 503
    assert get(pipeline, "/health/live") == 200
    broker.start()
    broker.wait_ready(READY_SECONDS)
    eventually(lambda: post(pipeline, "first-after").status == 201, within_seconds=10)
    after = [f"after-{number}" for number in range(20)]
    assert {post(pipeline, post_id).status for post_id in after} == {201}
    assert get(pipeline, "/health/ready") == 200
    assert pipeline.the("gateway").pid == pid
    stored = Counter(json.loads(record.value())["id"] for record in pipeline.records("posts"))
    assert all(stored[post_id] == 1 for post_id in accepted + after)


def test_a_gateway_that_starts_before_its_broker(pipeline: Pipeline, broker: Broker, tmp_path: Path) -> None:
    """It lives, says why it is not ready, refuses posts in time, and becomes ready by itself."""
    broker.kill()
    gateway = Gateway(tmp_path / "gateway.log", pipeline.environment, port=0, workers=1)
    pipeline.services.append(gateway)
    gateway.start()
    eventually(lambda: is_listening(pipeline))
    ready = httpx.get(f"{gateway.url}/health/ready", timeout=10)
    assert ready.status_code == 503
    assert "Kafka" in ready.json()["detail"]
    assert is_refused_in_time(post(pipeline, "early"))
    broker.start()
    broker.wait_ready(READY_SECONDS)
    eventually(lambda: get(pipeline, "/health/ready") == 200, within_seconds=10)
    assert post(pipeline, "on time").status == 201


def is_listening(pipeline: Pipeline) -> bool:
    try:
        return get(pipeline, "/health/live") == 200
    except httpx.HTTPError:
        return False


def test_a_broker_that_hangs(pipeline: Pipeline, broker: Broker) -> None:
    """It takes the posts and does not answer: 503 in time, with the id to send again, line by line in a batch too.

    What was under way may arrive all the same, and the answer says so.
    """
    pipeline.start("gateway")
    assert post(pipeline, "before").status == 201
    assert broker.pid is not None
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        answer = pipeline.post(POST)
        batch = httpx.post(
            f"{pipeline.the('gateway').url}/post/enqueue/batch",
            content=b"".join(json.dumps(POST).encode() + b"\n" for _ in range(100)),
            headers={"X-API-Key": pipeline.key},
            timeout=10,
        )
    finally:
        os.kill(broker.pid, signal.SIGCONT)
    assert answer.status_code == 503
    assert answer.json()["id"]
    assert "sent again with the same id" in answer.json()["detail"]
    results = [json.loads(line) for line in batch.text.splitlines()]
    assert [result["status"] for result in results] == [503] * 100
    assert len({result["id"] for result in results}) == 100
    assert batch.elapsed.total_seconds() < 2 * ACK_SECONDS
    eventually(lambda: post(pipeline, "after").status == 201, within_seconds=20)
    assert pipeline.metric("gateway", "namedrop_gateway_posts_refused_total", reason="not_acknowledged") >= 101


def test_what_finds_no_room_is_refused_at_once(pipeline: Pipeline, broker: Broker) -> None:
    """16 MiB may be in flight: of 40 posts of a million bytes before a hanging broker, those that find no room get
    their 503 at once, the others in time; and afterwards there is room again."""
    pipeline.start("gateway", IN_FLIGHT_MAX_BYTES=str(16 * 1024 * 1024))
    large = json.dumps(POST | {"content": "x" * 1_000_000}).encode()
    headers = {"X-API-Key": pipeline.key}
    url = f"{pipeline.the('gateway').url}/post/enqueue"
    assert broker.pid is not None
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(40) as threads:
            asked = [threads.submit(httpx.post, url, content=large, headers=headers, timeout=10) for _ in range(40)]
            answers = [each.result() for each in asked]
    finally:
        os.kill(broker.pid, signal.SIGCONT)
    assert {answer.status_code for answer in answers} == {503}
    refused = "namedrop_gateway_posts_refused_total"
    assert pipeline.metric("gateway", refused, reason="busy") >= 1
    assert pipeline.metric("gateway", refused, reason="not_acknowledged") >= 1
    eventually(lambda: post(pipeline, "after").status == 201, within_seconds=20)
    assert pipeline.metric("gateway", "namedrop_gateway_posts_in_flight") == 0
