"""For everybody: axe finds nothing, on any page, light and dark, wide and narrow; and pictures of it all."""

from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import Open

PATHS = {
    "home": "/",
    "publication": "/publication?name=The+Estuary+Chronicle",
    "label": "/publication?name=The+Estuary+Chronicle&label=PERSON",
    "entity": "/entity?name=European+Union",
    "search": "/search?q=an",
    "nothing": "/publication?name=nobody",
}
SIZES = {"wide": (1280, 900), "phone": (390, 844)}
PICTURES = {
    ("home", "wide", "light"),
    ("publication", "wide", "dark"),
    ("entity", "wide", "light"),
    ("home", "phone", "dark"),
    ("publication", "phone", "light"),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PATHS)
def test_axe_finds_nothing(
    open_page: Open, screenshots: Path, name: str, size: str, scheme: Literal["light", "dark"]
) -> None:
    """No violation, and nothing wider than the screen."""
    width, height = SIZES[size]
    page = open_page(
        PATHS[name], color_scheme=scheme, viewport={"width": width, "height": height}, device_scale_factor=2
    )
    expect(page.locator("[data-figure='lag.saver']")).not_to_have_text("–")
    found = Axe().run(page)
    assert found.response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if (name, size, scheme) in PICTURES:
        expect(page.locator("[data-figure='posts_per_second']")).not_to_have_text("–")
        page.screenshot(path=screenshots / f"{name}-{size}-{scheme}.png")
