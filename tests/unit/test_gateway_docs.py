"""What /docs says of the read routes."""

from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from cli.keys import entry
from services.gateway.app import create_app
from services.gateway.live import Figures
from services.gateway.queries import Entities, Mentions, Publications
from services.gateway.settings import GatewaySettings

ANSWERS: dict[str, type[BaseModel] | None] = {
    "/publications": Publications,
    "/publications/{key}/entities": Entities,
    "/publications/{key}/wordcloud.svg": None,
    "/entities": Mentions,
    "/entities/{text}": Mentions,
    "/live": Figures,
}


@pytest.fixture(scope="module")
def paths() -> dict[str, Any]:
    found: dict[str, Any] = create_app(GatewaySettings(api_keys=SecretStr(entry("alice", "k")))).openapi()["paths"]
    return found


def test_every_read_route_is_described(paths: dict[str, Any]) -> None:
    """None is missing below, and each has a word to say."""
    reads = {path: route["get"] for path, route in paths.items() if "counts" in route.get("get", {}).get("tags", [])}
    assert reads.keys() == ANSWERS.keys()
    assert all(route["summary"] and route["description"] for route in reads.values())


@pytest.mark.parametrize("path", ANSWERS)
def test_every_read_route_has_an_example(paths: dict[str, Any], path: str) -> None:
    """Of its answer, as that really looks, and of what stands in the path."""
    route = paths[path]["get"]
    ((media_type, content),) = route["responses"]["200"]["content"].items()
    if answer := ANSWERS[path]:
        assert media_type == "application/json"
        assert answer.model_validate(content["example"], extra="forbid").model_dump(mode="json") == content["example"]
    else:
        assert media_type == "image/svg+xml"
        assert content["example"].startswith("<svg ")
    for parameter in route.get("parameters", []):
        assert parameter["description"]
        assert "examples" in parameter or parameter["in"] == "query"


@pytest.mark.parametrize("path", ANSWERS)
def test_caching_and_refusals_are_described(paths: dict[str, Any], path: str) -> None:
    """With ETag and Cache-Control, the 304, and refusals as the JSON that they are."""
    responses = paths[path]["get"]["responses"]
    for status in ("200", "304"):
        assert responses[status]["headers"].keys() == {"ETag", "Cache-Control"}
    assert "content" not in responses["304"]
    assert {*responses} - {"200", "304"} >= {"422", "503"}
    for status in {*responses} - {"200", "304"}:
        assert list(responses[status]["content"]) == ["application/json"]
