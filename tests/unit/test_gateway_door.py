"""What the gateway says to a request before Kafka comes into it."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from cli.keys import entry
from services.gateway.app import create_app
from services.gateway.settings import GatewaySettings
from services.gateway.shortcut import Shortcut

KEY = {"X-API-Key": "k"}
ENQUEUE, BATCH = "/post/enqueue", "/post/enqueue/batch"


def gateway(**settings: Any) -> FastAPI:
    """Not started: nothing here reaches Kafka or Firestore."""
    return create_app(GatewaySettings(api_keys=SecretStr(entry("alice", "k")), **settings))


def ask(app: FastAPI, method: str, path: str, **request: Any) -> httpx.Response:
    async def answer() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
            return await client.request(method, path, **request)

    return asyncio.run(answer())


@pytest.mark.parametrize("path", [ENQUEUE, BATCH])
@pytest.mark.parametrize("headers", [{}, {"X-API-Key": "wrong"}, {"access_token": "K"}, {"X-API-Key": "ключ".encode()}])
def test_a_wrong_or_missing_key_is_401(path: str, headers: dict[str, Any]) -> None:
    """Before the body is looked at."""
    answer = ask(gateway(), "POST", path, content=b"nonsense", headers=headers)
    assert answer.status_code == 401
    assert "API key" in answer.json()["detail"]
    assert answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("header", ["X-API-Key", "x-api-key", "access_token"])
def test_either_header_opens_the_door(header: str) -> None:
    """`access_token` is what clients of the first version send."""
    assert ask(gateway(), "POST", ENQUEUE, content=b"{}", headers={header: "k"}).status_code == 422


@pytest.mark.parametrize("path", [ENQUEUE, BATCH])
@pytest.mark.parametrize(
    "request_", [{}, {"headers": KEY | {"Content-Encoding": "gzip"}}, {"headers": KEY, "content": b"no JSON"}]
)
def test_the_shortcut_of_posts_changes_no_answer(path: str, request_: dict[str, Any]) -> None:
    """What goes past FastAPI's routing is answered as it would be there."""
    app = gateway()
    long_way = gateway()
    innermost: object = long_way.user_middleware.pop().cls
    assert innermost is Shortcut
    answer, same = ask(app, "POST", path, **request_), ask(long_way, "POST", path, **request_)
    assert (answer.status_code, answer.headers, answer.content) == (same.status_code, same.headers, same.content)


def test_the_answer_to_a_bad_post_has_fastapis_shape() -> None:
    """`detail` lists type, loc and msg of each problem, and nothing of the input."""
    answer = ask(gateway(), "POST", ENQUEUE, content=b'{"publication": "p", "content": 5}', headers=KEY)
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem == {"type": "string_type", "loc": ["body", "content"], "msg": "Input should be a valid string"}


def test_the_content_limit_is_a_setting() -> None:
    """One character more is refused, and the OpenAPI document shows the limit."""
    app = gateway(content_max_chars=10)
    answer = ask(app, "POST", ENQUEUE, json={"publication": "p", "content": "x" * 11}, headers=KEY)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "content"]
    body = app.openapi()["paths"][ENQUEUE]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"]["properties"]["content"]["maxLength"] == 10


def test_a_large_body_is_413() -> None:
    """By its Content-Length, or by growing too large without one."""
    app = gateway(body_max_bytes=2000)

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"x" * 100

    for content in (b"x" * 2001, chunks()):
        answer = ask(app, "POST", ENQUEUE, content=content, headers=KEY)
        assert answer.status_code == 413
        assert "2000 bytes" in answer.json()["detail"]
        assert answer.headers["Connection"] == "close"


@pytest.mark.parametrize("path", [ENQUEUE, BATCH])
def test_a_compressed_body_is_415(path: str) -> None:
    """It is not unpacked; the answer says what is taken. `identity` is no compression."""
    answer = ask(gateway(), "POST", path, content=gzip.compress(b"{}"), headers=KEY | {"Content-Encoding": "gzip"})
    assert answer.status_code == 415
    assert answer.headers["Accept-Encoding"] == "identity"
    assert (
        ask(gateway(), "POST", ENQUEUE, content=b"{}", headers=KEY | {"Content-Encoding": "identity"}).status_code
        == 422
    )


def test_the_openapi_document_tells_all() -> None:
    """Both headers behind Authorize, the body with an example, every status."""
    document = gateway().openapi()
    schemes = document["components"]["securitySchemes"].values()
    assert {(scheme["type"], scheme["in"], scheme["name"]) for scheme in schemes} == {
        ("apiKey", "header", "X-API-Key"),
        ("apiKey", "header", "access_token"),
    }
    enqueue = document["paths"][ENQUEUE]["post"]
    assert {"201", "401", "413", "422", "503"} <= enqueue["responses"].keys()
    assert len(enqueue["security"]) == 2
    example = enqueue["requestBody"]["content"]["application/json"]["example"]
    assert example.keys() == {"publication", "content"}
    batch = document["paths"][BATCH]["post"]
    assert json.loads(batch["requestBody"]["content"]["application/x-ndjson"]["example"]) == example
    assert {"200", "401", "503"} <= batch["responses"].keys()
    for path in ("/publications", "/publications/{key}/entities", "/entities/{text}"):
        assert {"200", "422", "503"} <= document["paths"][path]["get"]["responses"].keys()
    for route in (route for methods in document["paths"].values() for route in methods.values()):
        assert {"400", "408", "431", "503"} <= route["responses"].keys()  # said before a route is looked for
        assert all(answer["content"].keys() == {"application/json"} for answer in refusals(route))


def refusals(route: dict[str, Any]) -> list[dict[str, Any]]:
    return [answer for status, answer in route["responses"].items() if status >= "400"]


def test_read_routes_ask_for_a_key_when_told_to() -> None:
    """READS_NEED_KEY; the answer of the open ones shows that it is the setting that closes them."""
    assert ask(gateway(reads_need_key=True), "GET", "/publications").status_code == 401
    assert ask(gateway(), "GET", "/publications?limit=0").status_code == 422


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "limit=5&limit=6", f"cursor={'x' * 9000}"])
def test_bad_paging_is_422(query: str) -> None:
    """And the parameter is named."""
    answer = ask(gateway(), "GET", f"/publications?{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", query.split("=", maxsplit=1)[0]]
