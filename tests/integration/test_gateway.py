"""The gateway as a process, before a real broker."""

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from confluent_kafka import Message

from tests.eventually import eventually, settles
from tests.pipeline import Pipeline, run_pipeline
from tests.servers import Servers

POST = {"publication": "The Harbour Courier", "content": "Wangari Maathai spoke in Nairobi."}
ENQUEUE, BATCH = "/post/enqueue", "/post/enqueue/batch"


@pytest.fixture(scope="module")
def gateway(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """One gateway for the tests that only ask."""
    with run_pipeline(servers, tmp_path_factory.mktemp("gateway")) as pipeline:
        pipeline.start("gateway")
        yield pipeline


@contextmanager
def client(pipeline: Pipeline) -> Iterator[httpx.Client]:
    url, headers = pipeline.the("gateway").url, {"X-API-Key": pipeline.key}
    with httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False) as opened:
        yield opened


@contextmanager
def connection(pipeline: Pipeline, path: str, headers: str) -> Iterator[socket.socket]:
    """A connection on which a request's headers were sent, and its body is still to come."""
    with socket.create_connection(("127.0.0.1", pipeline.the("gateway").port), timeout=30) as opened:
        head = f"POST {path} HTTP/1.1\r\nHost: gateway\r\nX-API-Key: {pipeline.key}\r\n{headers}\r\n\r\n"
        opened.sendall(head.encode())
        yield opened


def stored(pipeline: Pipeline) -> dict[str, Message]:
    """The records of the posts topic, by the id in them."""
    return {json.loads(record.value() or b"")["id"]: record for record in pipeline.records("posts")}


def logged(pipeline: Pipeline) -> list[dict[str, Any]]:
    return [json.loads(line) for line in pipeline.the("gateway").log_path.read_text().splitlines()]


def test_a_201_says_where_the_post_stands(gateway: Pipeline) -> None:
    """At that partition and offset is the post, as DESIGN has it, without a key."""
    with client(gateway) as http:
        answer = http.post(ENQUEUE, json=POST | {"title": "Ñandú"})
    assert answer.status_code == 201
    accepted = answer.json()
    record = stored(gateway)[accepted["id"]]
    assert (record.partition(), record.offset(), record.key()) == (accepted["partition"], accepted["offset"], None)
    post = json.loads(record.value() or b"")
    received_at = post.pop("received_at")
    assert post == POST | {"id": accepted["id"], "title": "Ñandú", "url": None, "published_at": None}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", received_at)


def test_clients_of_the_first_version_work(gateway: Pipeline) -> None:
    """One post after another on one connection, the key in `access_token`, texts up to 655,360 characters, each answer
    within 3 s."""
    with httpx.Client(headers={"access_token": gateway.key}, timeout=3, trust_env=False) as http:
        for chars in (10, 655_360, 1000, 655_360):
            post = {"content": ("Nairobi. " * chars)[:chars], "publication": "Reuters"}
            assert http.post(gateway.the("gateway").url + ENQUEUE, json=post).status_code == 201


@pytest.mark.parametrize("content", ["x", "ж", "語", "😀", "\x01"])
def test_the_longest_content_fits_in_any_script(gateway: Pipeline, content: str) -> None:
    """A million characters, in UTF-8 of up to four bytes each, or of those that JSON must escape."""
    body = json.dumps(POST | {"content": content * 1_000_000}, ensure_ascii=False).encode()
    with client(gateway) as http:
        answer = http.post(ENQUEUE, content=body)
    assert answer.status_code == 201, answer.text
    assert len(json.loads(stored(gateway)[answer.json()["id"]].value() or b"")["content"]) == 1_000_000


def test_posts_spread_evenly(gateway: Pipeline) -> None:
    """Of 960 posts in a row no partition of the 48 stays empty, and none gets thrice its share.

    With librdkafka's default, posts of the same 10 ms share a partition, and most stay empty.
    """
    lines = b"".join(json.dumps(POST).encode() + b"\n" for _ in range(960))
    with client(gateway) as http:
        results = [json.loads(line) for line in http.post(BATCH, content=lines).text.splitlines()]
    per_partition = Counter(result["partition"] for result in results)
    assert per_partition.keys() == set(range(48))
    assert max(per_partition.values()) < 60


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"not JSON", 422),
        (b"", 422),
        (json.dumps(POST).encode("utf-16"), 422),
        (b'{"publication": "p", "content": "caf\xe9"}', 422),
        (b'{"publication": "p", "content": "\\ud800"}', 422),
        (b'{"publication": "p", "content": "a\\u0000b"}', 422),
        (b'{"publication": "p", "content": ""}', 422),
        (b'{"publication": " ", "content": "x"}', 422),
        (b'{"publication": "' + b"p" * 1501 + b'", "content": "x"}', 422),
        (b'{"publication": "p"}', 422),
        (b'{"publication": "p", "content": 5}', 422),
        (b'{"publication": "p", "content": "x", "author": "y"}', 422),
        (b'{"publication": "p", "content": "' + b"x" * 1_000_001 + b'"}', 422),
        (b'{"publication": "p", "content": "' + b"x" * 20_000_000 + b'"}', 413),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else str(value),
)
def test_a_bad_post_is_refused_and_nothing_is_stored(gateway: Pipeline, content: bytes, status: int) -> None:
    """The connection, or the next one, goes on to work."""
    before = stored(gateway).keys()
    with client(gateway) as http:
        assert http.post(ENQUEUE, content=content).status_code == status
        good = http.post(ENQUEUE, json=POST)
    assert stored(gateway).keys() - before == {good.json()["id"]}


def test_a_body_that_never_ends_is_cut_off(gateway: Pipeline) -> None:
    """Without a Content-Length: 413 once it is too large, and the connection is closed."""
    with connection(gateway, ENQUEUE, "Transfer-Encoding: chunked") as opened:
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            send_without_end(opened, b"x" * 0x10000)
        assert opened.recv(1000).startswith(b"HTTP/1.1 413 ")


def send_without_end(opened: socket.socket, piece: bytes) -> None:
    while True:
        opened.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")


def test_a_batch_answers_line_by_line(gateway: Pipeline) -> None:
    """In the order of the lines; bad ones do not harm the others, also one that is larger than a body may be."""
    good = [json.dumps(POST | {"id": f"line-{number}"}).encode() for number in range(5)]
    huge = json.dumps(POST | {"content": "x" * 9_000_000}).encode()
    lines = [good[0], b"not JSON", good[1], b"", huge, good[2] + b"\r", b'{"publication": "p"}', good[3], good[4]]
    with client(gateway) as http:
        answer = http.post(BATCH, content=b"\n".join(lines))
    results = [json.loads(line) for line in answer.text.splitlines()]
    assert [result["line"] for result in results] == list(range(1, 10))
    assert [result["status"] for result in results] == [201, 422, 201, 422, 413, 201, 422, 201, 201]
    assert results[6]["detail"][0]["loc"] == ["body", "content"]
    records = stored(gateway)
    for result in results:
        if result["status"] == 201:
            record = records[result["id"]]
            assert (record.partition(), record.offset()) == (result["partition"], result["offset"])


def test_a_batch_is_answered_while_it_is_being_sent(gateway: Pipeline) -> None:
    """The first result comes before the second line goes."""
    line = json.dumps(POST).encode() + b"\n"
    chunk = f"{len(line):x}\r\n".encode() + line + b"\r\n"
    with connection(gateway, BATCH, "Transfer-Encoding: chunked") as opened:
        for number in (1, 2, 3):
            opened.sendall(chunk)
            received = b""
            while b'"offset"' not in received:
                received += opened.recv(1000)
            assert f'"line":{number},"status":201'.encode() in received
        opened.sendall(b"0\r\n\r\n")
        assert opened.recv(1000) == b"0\r\n\r\n"


def test_a_client_may_read_the_results_last(gateway: Pipeline) -> None:
    """A batch of 5,000 from a client that sends everything first."""
    lines = b"".join(json.dumps(POST | {"id": f"late-{number}"}).encode() + b"\n" for number in range(5000))
    with client(gateway) as http:
        results = [json.loads(line) for line in http.post(BATCH, content=lines).text.splitlines()]
    assert [result["id"] for result in results] == [f"late-{number}" for number in range(5000)]
    assert {result["status"] for result in results} == {201}


def test_what_happens_is_counted_and_refusals_are_logged(pipeline: Pipeline) -> None:
    """By reason and key name; one line for each refused request, none for the others, and never a key or a text."""
    pipeline.start("gateway")
    with client(pipeline) as http:
        assert http.post(ENQUEUE, json=POST).status_code == 201
        assert http.post(ENQUEUE, json=POST | {"content": "unspeakable", "x": 1}).status_code == 422
        assert http.post(ENQUEUE, json=POST, headers={"X-API-Key": "hush"}).status_code == 401
        assert http.post(ENQUEUE, content=b"unspeakable" * 1_000_000).status_code == 413
        assert http.post(BATCH, content=json.dumps(POST) + "\nunspeakable\n").status_code == 200
        documentation = http.get("/docs")
    assert documentation.status_code == 200
    refused = "namedrop_gateway_posts_refused_total"
    assert pipeline.metric("gateway", "namedrop_gateway_posts_accepted_total", key="tests") == 2
    assert pipeline.metric("gateway", refused, key="tests", reason="invalid") == 2
    assert pipeline.metric("gateway", refused, key="", reason="unauthorized") == 1
    assert pipeline.metric("gateway", refused, key="tests", reason="too_large") == 1
    assert pipeline.metric("gateway", "namedrop_gateway_ack_seconds_count") == 2
    assert pipeline.metric("gateway", "namedrop_gateway_request_seconds_count", route=ENQUEUE, status="201") == 1
    assert pipeline.metric("gateway", "namedrop_gateway_posts_in_flight") == 0
    lines = [line for line in logged(pipeline) if line["event"] == "request.refused" and line["path"] == ENQUEUE]
    assert [(line["status"], line["reason"], line["key"]) for line in lines] == [
        (422, "invalid", "tests"),
        (401, "unauthorized", None),
        (413, "too_large", "tests"),
    ]
    (batch,) = [line for line in logged(pipeline) if line["event"] == "batch.refused"]
    assert (batch["key"], batch["invalid"]) == ("tests", 1)
    log = pipeline.the("gateway").log_path.read_text()
    assert not any(secret in log for secret in ("unspeakable", "hush", pipeline.key, digest(pipeline.key)))


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def test_limits_hold_and_pass(pipeline: Pipeline) -> None:
    """One post in flight, one batch, two seconds for a body: 503 with Retry-After, 408, and a client that does not read
    its answer keeps the place for as long; each time it works again."""
    pipeline.start("gateway", IN_FLIGHT_MAX_POSTS="1", BODY_SECONDS="2", BATCHES_MAX="1")
    body = json.dumps(POST).encode()
    with client(pipeline) as http:
        with connection(pipeline, ENQUEUE, f"Content-Length: {len(body)}") as slow:
            slow.sendall(body[:-1])
            settles(lambda: pipeline.metric("gateway", "namedrop_gateway_posts_in_flight"), 1.0)
            busy = http.post(ENQUEUE, json=POST)
            assert (busy.status_code, busy.headers["Retry-After"]) == (503, "1")
            assert slow.recv(1000).startswith(b"HTTP/1.1 408 ")
        assert http.post(ENQUEUE, json=POST).status_code == 201
        with connection(pipeline, BATCH, "Transfer-Encoding: chunked") as open_batch:
            assert open_batch.recv(1000).startswith(b"HTTP/1.1 200 ")
            assert http.post(BATCH, content=body).status_code == 503
            assert b'"status":408' in open_batch.recv(1000)
        eventually(lambda: http.post(BATCH, content=body).status_code == 200)
        with connection(pipeline, BATCH, "Transfer-Encoding: chunked") as deaf:
            deaf.settimeout(1)
            with pytest.raises((ConnectionError, TimeoutError)):
                send_without_end(deaf, b"x\n" * 0x8000)
            eventually(lambda: http.post(BATCH, content=body).status_code == 200)


def test_several_workers_are_one_gateway(pipeline: Pipeline) -> None:
    """They share the port, /metrics is the sum, a killed one is replaced, and SIGTERM ends them all."""
    pipeline.start("gateway", WORKERS="2")
    process = psutil.Process(pipeline.the("gateway").pid)
    settles(lambda: len(workers(process)), 2)
    killed, _ = workers(process)
    for _ in range(30):
        assert pipeline.post(POST).status_code == 201
    accepted = "namedrop_gateway_posts_accepted_total"
    assert [pipeline.metric("gateway", accepted, key="tests") for _ in range(5)] == [30.0] * 5
    killed.kill()
    eventually(lambda: len(workers(process)) == 2 and killed not in workers(process))
    eventually(lambda: all(answers(pipeline) for _ in range(5)))
    assert pipeline.metric("gateway", accepted, key="tests") == 30.0
    assert pipeline.metric("gateway", "namedrop_gateway_posts_in_flight") == 0.0
    left = [process, *process.children()]
    process.terminate()
    assert psutil.wait_procs(left[1:], timeout=30)[1] == []


def workers(process: psutil.Process) -> list[psutil.Process]:
    """Those children that serve; the other one is multiprocessing's own."""
    return [child for child in process.children() if is_worker(child)]


def is_worker(child: psutil.Process) -> bool:
    try:
        return any("spawn_main" in part for part in child.cmdline())
    except psutil.Error:  # it ended a moment ago
        return False


def answers(pipeline: Pipeline) -> bool:
    try:
        return httpx.get(pipeline.the("gateway").url + "/health/live", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def test_sigterm_lets_requests_finish(pipeline: Pipeline) -> None:
    """A post that is half sent when the signal comes gets its 201; then the process ends with status 0."""
    pipeline.start("gateway")
    gateway = pipeline.the("gateway")
    body = json.dumps(POST).encode()
    with connection(pipeline, ENQUEUE, f"Content-Length: {len(body)}") as opened:
        opened.sendall(body[:-1])
        settles(lambda: pipeline.metric("gateway", "namedrop_gateway_posts_in_flight"), 1.0)
        assert gateway.pid is not None
        os.kill(gateway.pid, signal.SIGTERM)
        eventually(lambda: not answers(pipeline))
        opened.sendall(body[-1:])
        assert opened.recv(1000).startswith(b"HTTP/1.1 201 ")
    eventually(lambda: not gateway.running)
    assert gateway.exit_status == 0
    assert len(stored(pipeline)) == 1


@pytest.mark.parametrize(
    ("settings", "status", "message"),
    [
        ({"API_KEYS": ""}, 2, "namedrop keys new NAME"),
        ({"API_KEYS": "alice:nonsense"}, 2, "alice"),
        ({"KAFKA_ACKS": "1"}, 2, "acks"),
        (
            {"POSTS_TOPIC": "nobody.made.this"},
            1,
            "Topic nobody.made.this does not exist. Make the topics with: namedrop",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_the_operator_must_mend_is_one_line(
    pipeline: Pipeline, settings: dict[str, str], status: int, message: str
) -> None:
    """The process ends at once, and says which setting or topic it is and what to do."""
    done = subprocess.run(
        [sys.executable, "-m", "services.gateway"],
        env=pipeline.environment | {"PORT": "0"} | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == status
    (line,) = (done.stdout + done.stderr).splitlines()
    assert message in line


def test_keys_change_without_a_restart(pipeline: Pipeline, tmp_path: Path) -> None:
    """A key added to API_KEYS_FILE opens the door, one removed no longer does."""
    file = tmp_path / "keys"
    file.write_text(f"old:{digest('k1')}\n")
    pipeline.start("gateway", API_KEYS="", API_KEYS_FILE=str(file))

    def status(key: str) -> int:
        url = pipeline.the("gateway").url + ENQUEUE
        return httpx.post(url, json=POST, headers={"X-API-Key": key}, timeout=30).status_code

    assert (status("k1"), status("k2")) == (201, 401)
    file.write_text(f"new:{digest('k2')}\n# old:{digest('k1')}\n")
    assert (status("k1"), status("k2")) == (401, 201)


def test_a_post_takes_milliseconds(gateway: Pipeline) -> None:
    """Nothing in the way waits for company or for a timer: the quickest of 50 takes under 20 ms."""
    with client(gateway) as http:
        taken = []
        for _ in range(50):
            started = time.monotonic()
            assert http.post(ENQUEUE, json=POST).status_code == 201
            taken.append(time.monotonic() - started)
    assert min(taken) < 0.02
