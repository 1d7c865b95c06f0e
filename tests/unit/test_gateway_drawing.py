"""Word clouds: a picture of whatever names there are."""

import asyncio
from xml.etree import ElementTree as ET

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from cli.keys import entry
from services.gateway import cloud
from services.gateway.app import create_app
from services.gateway.drawing import by_outline, draw, shorten
from services.gateway.queries import Entity
from services.gateway.settings import GatewaySettings

SVG_TEXT = "{http://www.w3.org/2000/svg}text"


def words(*texts: str) -> dict[str, dict[str, str]]:
    """What stands in the picture, with its attributes; the first has the most mentions."""
    found = [Entity(text=text, label="ORG", count=len(texts) - number) for number, text in enumerate(texts)]
    return {each.text or "": each.attrib for each in ET.fromstring(draw(found)).iter(SVG_TEXT)}


@given(st.text(min_size=1, max_size=60))
@settings(deadline=None, max_examples=20)
def test_any_text_makes_a_picture(text: str) -> None:
    """Names come out of anybody's articles: line breaks, control characters, letters of any script."""
    assert words(text, "Oslo").keys() <= {shorten(text), "Oslo"}


def test_names_stand_on_one_line() -> None:
    """As a browser shows them, and XML has no place for a control character."""
    assert words("New\n  York", "Os\x01lo", "<&>").keys() == {"New York", "Oslo", "<&>"}


def test_names_get_the_room_that_they_need() -> None:
    """An accent takes none, and East Asian letters are twice as wide as those of Latin."""
    width = {text: float(attributes["textLength"]) for text, attributes in words("Zürich", "日本新聞").items()}
    size = {text: float(attributes["font-size"]) for text, attributes in words("Zürich", "日本新聞").items()}
    assert 2.4 < width["Zürich"] / size["Zürich"] < 3.2
    assert 3.5 < width["日本新聞"] / size["日本新聞"] < 4.2


def test_names_that_look_alike_are_all_there() -> None:
    """They are laid out by the letters of the typeface, of which they have the same."""
    assert list(by_outline(["Zürich", "Zurich", "Zúrich"]).values()) == ["Zürich", "Zurich", "Zúrich"]
    assert words("Zürich", "Zurich").keys() == {"Zürich", "Zurich"}


def test_the_same_counts_give_the_same_picture() -> None:
    """So that it is not sent again."""
    found = [Entity(text=f"Name {number}", label="GPE", count=30 - number) for number in range(20)]
    assert draw(found) == draw(found)
    assert ET.fromstring(draw([])).find(SVG_TEXT) is None


def test_without_the_library_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """501, before anybody asks Firestore: the plain image has no wordcloud."""
    monkeypatch.setattr(cloud, "find_spec", lambda _name: None)
    app = create_app(GatewaySettings(api_keys=SecretStr(entry("alice", "k"))))

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
            return await client.get("/publications/x/wordcloud.svg")

    answer = asyncio.run(ask())
    assert answer.status_code == 501
    assert "GATEWAY_REQUIREMENTS=gateway-wordcloud" in answer.json()["detail"]
