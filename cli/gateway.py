"""The gateway from the outside: which one, with which key, and what its refusals say."""

import json
from typing import Any

import httpx

from cli.errors import CommandError


def open_gateway(url: str, key: str | None) -> httpx.Client:
    """A client whose requests carry the key."""
    return httpx.Client(
        base_url=url,
        headers={"X-API-Key": key} if key else {},
        timeout=httpx.Timeout(60.0, connect=5.0),
        # The gateway is where the URL says: HTTP_PROXY is for the world outside.
        trust_env=False,
    )


def get(client: httpx.Client, path: str, **query: Any) -> Any:
    """The JSON at `path`. Raises CommandError in a sentence."""
    try:
        response = client.get(path, params={name: value for name, value in query.items() if value is not None})
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise CommandError(f"No gateway answers at {client.base_url}: {error}") from error
    if not response.is_success:
        raise CommandError(reason(response.status_code, response.text))
    return response.json()


def reason(status: int, body: Any) -> str:
    """Why the gateway refused, in a few words: FastAPI's `detail`, be it a sentence or a list of fields."""
    try:
        detail = (json.loads(body) if isinstance(body, str) else body)["detail"]
    except (ValueError, TypeError, KeyError):
        return f"The gateway answered with status {status}"
    if isinstance(detail, list):
        return "; ".join(_field(problem) for problem in detail)
    return str(detail)


def _field(problem: dict[str, Any]) -> str:
    where = ".".join(str(part) for part in problem.get("loc", []) if part not in ("body", "query"))
    what = str(problem.get("msg", "")).removeprefix("Value error, ")
    return f"{where}: {what}" if where else what
