"""The gateway's door under attack: the good client is served meanwhile, memory stays bounded, attackers are ended."""

import gzip
import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from services.gateway.open_files import room_for_connections
from tests.attack import (
    PIECE,
    POST,
    answer,
    are_over,
    bounded_memory,
    connected,
    crowd,
    flooded,
    good_post,
)
from tests.eventually import eventually, settles
from tests.pipeline import Pipeline, run_pipeline
from tests.servers import Servers

SHORT = {"HEAD_SECONDS": "2", "BODY_SECONDS": "2", "KEEP_ALIVE_SECONDS": "2"}
CONNECTIONS_MAX = 1000
NOBODY: list[str] = []
ENDED = "namedrop_gateway_connections_ended_total"
ACCEPTED = "namedrop_gateway_posts_accepted_total"
GET = b"GET /health/live HTTP/1.1\r\n"
ENQUEUE, BATCH = b"POST /post/enqueue HTTP/1.1\r\n", b"POST /post/enqueue/batch HTTP/1.1\r\n"
CHUNKED, ENDLESS = b"Transfer-Encoding: chunked\r\n\r\n", b"Content-Length: 1000000000000\r\n\r\n"
CHUNK = b"%x\r\n" % len(PIECE) + PIECE + b"\r\n"


@pytest.fixture(scope="module")
def gateway(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """With little patience, so that the tests need little. Nothing that they do to it is an error of ours."""
    with run_pipeline(servers, tmp_path_factory.mktemp("gateway"), **SHORT) as pipeline:
        pipeline.start("gateway")
        yield pipeline
        assert '"level": "error"' not in pipeline.the("gateway").log_path.read_text()


@pytest.fixture(scope="module")
def full_gateway(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """With room for a thousand connections, before a Firestore that hangs."""
    room_for_connections(2 * CONNECTIONS_MAX)  # in this process: the other ends are here
    limits = {
        "CONNECTIONS_MAX": CONNECTIONS_MAX,
        "IN_FLIGHT_MAX_POSTS": 2 * CONNECTIONS_MAX,
        "READ_SECONDS": 2,
        "SHUTDOWN_SECONDS": 1,
    }
    settings = {name: str(value) for name, value in limits.items()}
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:
        hanging = Servers(servers.bootstrap_servers, f"127.0.0.1:{silent.getsockname()[1]}")
        with run_pipeline(hanging, tmp_path_factory.mktemp("gateway"), **settings) as pipeline:
            pipeline.start("gateway")
            yield pipeline


def with_key(gateway: Pipeline, head: bytes) -> bytes:
    """Where it says KEY."""
    return head.replace(b"KEY", f"X-API-Key: {gateway.key}\r\n".encode())


SLOW = {
    "says nothing": (b"", b""),
    "empty lines": (b"", b"\r\n"),
    "address": (b"GET /", b"x"),
    "headers": (GET, b"x"),
    "empty lines after a request": (GET + b"\r\n", b"\r\n"),
    "body of a request that has its answer": (GET + ENDLESS, b"x"),
    "body without a key": (ENQUEUE + CHUNKED, b"1\r\nx\r\n"),
    "body": (ENQUEUE + b"KEYContent-Length: 1000000\r\n\r\n", b"x"),
    "chunked body": (ENQUEUE + b"KEY" + CHUNKED, b"1\r\nx\r\n"),
    "line of a batch": (BATCH + b"KEY" + CHUNKED, b"1\r\nx\r\n"),
}
"""What it sends at once, and what byte by byte."""


def test_slow_clients_are_not_waited_for(gateway: Pipeline) -> None:
    """Slow-loris, and clients that are gone: five of each kind, and all of them are ended."""
    with ExitStack() as stack:
        slow = {name: stack.enter_context(crowd(gateway, 5, with_key(gateway, SLOW[name][0]))) for name in SLOW}
        assert good_post(gateway) == 201
        settles(lambda: [name for name, them in slow.items() if not are_over(them, SLOW[name][1])], NOBODY)
    assert gateway.metric("gateway", ENDED, reason="too_slow") >= 15


def test_half_a_head_is_told_why(gateway: Pipeline) -> None:
    """408 for the client that has begun; a new connection on which nothing was said is only closed."""
    with connected(gateway, GET) as begun, connected(gateway) as silent:
        assert answer(begun).startswith(b"HTTP/1.1 408 ")
        assert answer(silent) == b""


def test_a_client_that_leaves_amid_its_headers_is_let_go(gateway: Pipeline) -> None:
    """At once: there is nobody to tell."""
    with connected(gateway, GET) as half:
        half.shutdown(socket.SHUT_WR)
        assert answer(half) == b""


FLOODS = {
    "one header": (GET + b"X-Long: ", PIECE),
    "headers": (GET, b"a:\r\n" * 0x4000),
    "address": (b"GET /", PIECE),
    "broken headers": (b"", GET * 0x1000),
    "no HTTP": (b"", b"\x16\x03\x01" * 0x4000),
    "pipelined requests": (b"", (GET + b"\r\n") * 0x1000),
    "trailers": (GET + CHUNKED + b"0\r\n", b"a:\r\n" * 0x4000),
    "one trailer": (GET + CHUNKED + b"0\r\nX-Long: ", PIECE),
    "chunk extension": (GET + CHUNKED + b"1;", PIECE),
    "trailers of a post": (ENQUEUE + b"KEY" + CHUNKED + b"2\r\n{}\r\n0\r\n", b"a:\r\n" * 0x4000),
}
BODIES = {
    "post": (ENQUEUE + b"KEY" + CHUNKED, CHUNK),
    "post, content-length": (ENQUEUE + b"KEY" + ENDLESS, PIECE),
    "post without a key": (ENQUEUE + CHUNKED, CHUNK),
    "post without a key, content-length": (ENQUEUE + ENDLESS, PIECE),
    "line of a batch": (BATCH + b"KEY" + CHUNKED, CHUNK),
    "line of a batch, content-length": (BATCH + b"KEY" + ENDLESS, PIECE),
    "batch without a key": (BATCH + CHUNKED, CHUNK),
    "body of a GET": (GET + ENDLESS, PIECE),
}
"""What is sent at once, and what again and again."""


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_ends_and_harms_nobody(gateway: Pipeline, kind: str) -> None:
    """Whatever comes without end before a request, or behind it: soon the connection is closed, and soon the next."""
    head, piece = FLOODS[kind]
    with bounded_memory(gateway), flooded(gateway, with_key(gateway, head), piece) as flood:
        assert [good_post(gateway) for _ in range(3)] == [201] * 3
        eventually(lambda: flood.ended)


def test_bodies_that_never_end_do(gateway: Pipeline) -> None:
    """All kinds at once, some with a key: too large, or the request was answered long ago."""
    with bounded_memory(gateway), ExitStack() as stack:
        floods = {
            name: stack.enter_context(flooded(gateway, with_key(gateway, head), piece))
            for name, (head, piece) in BODIES.items()
        }
        assert [good_post(gateway) for _ in range(3)] == [201] * 3
        settles(lambda: [name for name, flood in floods.items() if not flood.ended], NOBODY)


def test_an_answer_must_be_read(gateway: Pipeline) -> None:
    """A client that asks for ten times a megabyte and reads nothing of it loses its connection."""
    path = "/static-offline-docs/swagger-ui-bundle.js"
    bytes_of_ten = 10 * len(httpx.get(gateway.the("gateway").url + path, trust_env=False).content)
    too_slow = gateway.metric("gateway", ENDED, reason="too_slow")
    asked = f"GET {path} HTTP/1.1\r\n\r\n".encode() * 10
    with bounded_memory(gateway), connected(gateway, asked, buffer_bytes=0x10000) as deaf:
        assert good_post(gateway) == 201
        eventually(lambda: gateway.metric("gateway", ENDED, reason="too_slow") > too_slow)
        assert len(answer(deaf)) < bytes_of_ten


@pytest.mark.parametrize("count", [50, 200])
def test_the_limits_of_a_head(gateway: Pipeline, count: int) -> None:
    """Up to a hundred headers and 32 KiB are as good as any; beyond, 431 says which limits there are."""
    head = GET + b"".join(b"X-%d: x\r\n" % number for number in range(count)) + b"Connection: close\r\n\r\n"
    with connected(gateway) as many, connected(gateway) as large:
        status = b"HTTP/1.1 200 " if count < 100 else b"HTTP/1.1 431 "
        assert answer(many, head).startswith(status)
        said = answer(large, GET + b"X: " + b"x" * 200 * count + b"\r\nConnection: close\r\n\r\n")
        assert said.startswith(status)
        assert status != b"HTTP/1.1 431 " or b"100 headers, or 32768 bytes" in said


SMUGGLED = ENQUEUE + b"Content-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize(
    "junk",
    [
        ENQUEUE + b"Content-Length: 0\r\n" + CHUNKED + b"0\r\n\r\n" + SMUGGLED,
        ENQUEUE + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
        ENQUEUE + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + SMUGGLED,
        ENQUEUE + b"Content-Length: 0, 44\r\n\r\n" + SMUGGLED,
        ENQUEUE + b"Content-Length: +4\r\n\r\n" + SMUGGLED,
        ENQUEUE + b"Content-Length: 99999999999999999999999\r\n\r\n" + SMUGGLED,
        ENQUEUE + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + SMUGGLED,
        ENQUEUE + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        ENQUEUE + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        ENQUEUE + b"X: y\r\n Transfer-Encoding: chunked\r\n\r\n" + SMUGGLED,
        ENQUEUE + b"X: y\nContent-Length: 44\n\n" + SMUGGLED,
        ENQUEUE + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 44\r\n\r\n" + SMUGGLED,
        ENQUEUE + b"X: \0\r\n\r\n",
        ENQUEUE + CHUNKED + b"-1\r\n",
        ENQUEUE + CHUNKED + b"1 \r\nxx\r\n",
        b"GET http:// HTTP/1.1\r\n\r\n",
        b"CONNECT gateway:443 HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"hello\r\n\r\n",
    ],
)
def test_what_can_be_read_in_two_ways_is_not_read(gateway: Pipeline, junk: bytes) -> None:
    """Request smuggling and junk: 400 and the end, so that nothing behind it is taken for another request."""
    with connected(gateway) as opened:
        said = answer(opened, junk)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1 4") == 1
    assert good_post(gateway) == 201


def post_bytes(gateway: Pipeline) -> bytes:
    body = json.dumps(POST).encode()
    return with_key(gateway, ENQUEUE + b"KEYContent-Length: %d\r\n\r\n" % len(body)) + body


def test_junk_behind_a_good_post_does_not_take_its_answer(gateway: Pipeline) -> None:
    """The post gets its 201, and the connection is closed: a 400 there would be taken for the answer to the post."""
    with connected(gateway) as opened:
        said = answer(opened, post_bytes(gateway) * 2 + b"junk\r\n\r\n")
    assert said.count(b"HTTP/1.1 201 ") == said.count(b"HTTP/1.1 ") == 2


def test_requests_may_be_pipelined_but_not_without_end(gateway: Pipeline) -> None:
    """The first ones get their answers, and nothing is stored without one."""
    before = gateway.metric("gateway", ACCEPTED)
    with connected(gateway) as opened:
        said = answer(opened, post_bytes(gateway) * 50)
    answered = said.count(b"HTTP/1.1 201 ")
    assert 1 <= answered < 50
    assert gateway.metric("gateway", ACCEPTED) == before + answered


def test_a_client_that_leaves_amid_its_pipeline_is_no_error(gateway: Pipeline) -> None:
    """Its posts may be stored or not, as ever without a 201; the fixture looks at the log."""
    under_way = "namedrop_gateway_posts_in_flight"
    for _ in range(20):
        with connected(gateway, post_bytes(gateway) * 10):
            pass
    settles(lambda: gateway.metric("gateway", under_way), 0.0)


@pytest.mark.parametrize("path", ["/post/enqueue", "/post/enqueue/batch"])
def test_a_gzip_bomb_is_not_unpacked(gateway: Pipeline, path: str) -> None:
    """415, and the answer says what to do; `identity` is no compression."""
    bomb = gzip.compress(json.dumps(POST | {"content": "x" * 100_000_000}).encode(), compresslevel=1)
    with httpx.Client(base_url=gateway.the("gateway").url, headers={"X-API-Key": gateway.key}, timeout=30) as http:
        with bounded_memory(gateway):
            refused = http.post(path, content=bomb, headers={"Content-Encoding": "gzip"})
        assert refused.status_code == 415
        assert "Send it as it is" in refused.json()["detail"]
        assert refused.headers["Accept-Encoding"] == "identity"
        assert http.post(path, json=POST, headers={"Content-Encoding": "identity"}).is_success


def test_guessing_keys_leads_nowhere(gateway: Pipeline) -> None:
    """Each guess is 401 and counted, on the same connection; the good client does not notice."""
    unauthorized = "namedrop_gateway_posts_refused_total"
    before = gateway.metric("gateway", unauthorized, reason="unauthorized")
    url = gateway.the("gateway").url + "/post/enqueue"
    guesses = [gateway.key[:length] + "x" for length in range(len(gateway.key))] + [gateway.key + "x", "x" * 10_000]
    with httpx.Client(timeout=30, trust_env=False) as http:
        statuses = {http.post(url, json=POST, headers={"X-API-Key": guess}).status_code for guess in guesses}
    assert statuses == {401}
    assert good_post(gateway) == 201
    assert gateway.metric("gateway", unauthorized, reason="unauthorized") == before + len(guesses)


def test_a_thousand_idle_connections_keep_nobody_out(full_gateway: Pipeline) -> None:
    """All that there may be, and then five hundred more: those that have waited longest make room.

    A client that posts now and then keeps its connection.
    """
    url, headers = full_gateway.the("gateway").url + "/post/enqueue", {"X-API-Key": full_gateway.key}
    with (
        httpx.Client(headers=headers, timeout=30, trust_env=False) as good,
        bounded_memory(full_gateway),
        crowd(full_gateway, CONNECTIONS_MAX // 2),
        crowd(full_gateway, CONNECTIONS_MAX // 2),
    ):
        assert good.post(url, json=POST).status_code == 201
        assert good_post(full_gateway) == 201
        with crowd(full_gateway, CONNECTIONS_MAX // 2):
            assert good.post(url, json=POST).status_code == 201
            assert good_post(full_gateway) == 201
            assert full_gateway.metric("gateway", ENDED, reason="busy") > CONNECTIONS_MAX // 2
            assert full_gateway.metric("gateway", "namedrop_gateway_connections") <= CONNECTIONS_MAX + 1


def test_a_thousand_readers_keep_no_post_out(full_gateway: Pipeline) -> None:
    """They wait for Firestore, which hangs: some of them give way."""
    with bounded_memory(full_gateway), crowd(full_gateway, CONNECTIONS_MAX, b"GET /publications HTTP/1.1\r\n\r\n"):
        assert [good_post(full_gateway) for _ in range(3)] == [201] * 3


def test_when_all_connections_are_at_posting_new_ones_are_told(full_gateway: Pipeline) -> None:
    """A thousand posts under way: 503 with Retry-After for the next; and it works again once they are over."""
    under_way = with_key(full_gateway, ENQUEUE + b"KEYContent-Length: 1000\r\n\r\n{")
    with crowd(full_gateway, CONNECTIONS_MAX, under_way), connected(full_gateway) as refused:
        said = answer(refused)
        assert said.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: 1\r\n" in said
        assert b"Too many connections are open. Nothing was stored" in said
    eventually(lambda: good_post(full_gateway) == 201)
