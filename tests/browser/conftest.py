"""One pipeline with counted articles, and one browser, for the whole run; a fresh page for each test."""

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.browser.chromium import find_chromium, start_chromium
from tests.pipeline import Pipeline, articles, run_pipeline
from tests.servers import Servers, start_servers

Open = Callable[..., Page]

INJECTION = "<img src=x onerror=\"document.title='caught'\"> & <script>document.title='caught'</script>"
"""As a publication's name and within an article."""
SMALL = [
    {"publication": f"The Gazette No. {number:02}", "content": f"Angela Merkel met Joan Smith in Paris, {number} said."}
    for number in range(10)
]
HOSTILE = [
    {"publication": INJECTION, "content": f"Angela Merkel visited Berlin. {INJECTION}"},
    {"publication": "..", "content": "Angela Merkel visited Paris."},
    {"publication": "a/b?c=d#e&f", "content": "Angela Merkel visited Rome."},
]
DEMO_ARTICLES = 130


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with start_servers(tmp_path_factory.mktemp("servers")) as found:
        yield found


@pytest.fixture(scope="session")
def pipeline(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The three services, and articles that they have counted. Nothing here is about how fast a busy machine is."""
    with run_pipeline(servers, tmp_path_factory.mktemp("pipeline"), ACK_SECONDS="30", READ_SECONDS="20") as started:
        started.start_all()
        posts = articles(DEMO_ARTICLES) + SMALL + HOSTILE
        load(started, posts)
        started.counts_become(posts, within_seconds=180)
        yield started


def load(pipeline: Pipeline, posts: list[dict[str, str]]) -> None:
    """All in one batch."""
    lines = "".join(json.dumps(post) + "\n" for post in posts)
    answer = httpx.post(
        f"{pipeline.the('gateway').url}/post/enqueue/batch",
        content=lines,
        headers={"X-API-Key": pipeline.key},
        timeout=120,
    )
    assert {json.loads(line)["status"] for line in answer.text.splitlines()} == {201}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        pytest.exit("No Chromium here: `apt-get install chromium`, or name one with CHROMIUM=/path/to/it", returncode=1)
    with start_chromium(path) as started:
        yield started


@pytest.fixture
def open_page(browser: Browser, pipeline: Pipeline) -> Iterator[Open]:
    """Opens a path of the gateway. Whatever a page complains about, or asks of anybody else, fails the test."""
    url = pipeline.the("gateway").url
    complaints: list[str] = []
    contexts = []

    def opened(path: str = "/", complaints_expected: str = "status of 404", **options: object) -> Page:
        context = browser.new_context(base_url=url, **options)  # type: ignore[arg-type] # any option of Playwright's
        contexts.append(context)
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.on("console", partial(take_complaint, complaints, complaints_expected))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: None if request.url.startswith(url) else complaints.append(request.url))
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints


def take_complaint(complaints: list[str], expected: str, message: ConsoleMessage) -> None:
    """A publication that is not there yet is no trouble, though the browser says so."""
    if message.type == "error" and expected not in message.text:
        complaints.append(message.text)


@pytest.fixture
def screenshots(tmp_path: Path) -> Path:
    """Where pictures go: SCREENSHOTS names the folder, docs/images for those in the README."""
    return Path(os.environ.get("SCREENSHOTS", tmp_path))
