"""A small HTTP server that answers as the gateway does, for tests of the command line."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

KEY = "the-key"
Json = dict[str, Any]
Answer = tuple[int, Json]


def accept(_post: Json) -> Answer:
    """What a gateway in good health says to every post."""
    return 201, {}


class StandIn:
    """Remembers what it accepted, in `posts`; `judge` decides on each post, `before` on each request as a whole."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.posts: list[Json] = []
        self.requests = 0
        self.judge: Callable[[Json], Answer] = accept
        self.before: Callable[[int], tuple[int, Json, dict[str, str]] | None] = lambda _number: None
        """Called with the request's number, from 1; what it returns is sent instead of results."""
        self.pages: dict[str, list[Json]] = {}
        """For reading: the results by path, handed out two on a page."""
        self.lock = Lock()

    @property
    def ids(self) -> list[str]:
        return [post["id"] for post in self.posts]


@contextmanager
def stand_in() -> Iterator[StandIn]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    gateway = StandIn(f"http://127.0.0.1:{server.server_port}")
    server.RequestHandlerClass.gateway = gateway  # type: ignore[attr-defined]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield gateway
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gateway: StandIn

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        gateway = self.gateway
        with gateway.lock:
            gateway.requests += 1
            instead = gateway.before(gateway.requests)
            if self.headers["X-API-Key"] != KEY:
                instead = 401, {"detail": "The API key is wrong."}, {}
            if instead:
                status, answer, headers = instead
                self._send(status, json.dumps(answer).encode(), headers)
                return
            results = [self._result(number, json.loads(line)) for number, line in enumerate(body.split(b"\n"), 1)]
        self._send(200, b"".join(json.dumps(result).encode() + b"\n" for result in results))

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        results = self.gateway.pages.get(unquote(parts.path))
        if results is None:
            self._send(404, b'{"detail": "There is no publication \'nobody\'."}')
            return
        if label := query.get("label"):
            results = [result for result in results if result["label"] == label]
        if query.get("order") == "articles":
            results = sorted(results, key=lambda result: -result["articles"])
        begin = int(query.get("cursor", "0"))
        end = begin + min(2, int(query["limit"]))
        what = "publications" if parts.path == "/publications" else "entities"
        page = {what: results[begin:end], "next_cursor": str(end) if end < len(results) else None}
        self._send(200, json.dumps(page).encode())

    def _result(self, number: int, post: Json) -> Json:
        status, more = self.gateway.judge(post)
        if status == 201:
            self.gateway.posts.append(post)
        return {"line": number, "status": status} | more

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's signature)
        """Quiet."""
