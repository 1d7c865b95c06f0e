"""What the web page and its readers rest on: paging both ways, prefixes, ETags, pictures, keys for reading."""

import base64
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest
from google.cloud.firestore_v1 import Increment

from services.gateway.drawing import shorten
from shared.firestore import Places
from shared.names import entity_id, publication_key
from tests.integration.test_gateway_reads import store
from tests.pipeline import Pipeline, run_pipeline
from tests.servers import Servers

NAMES = [f"Paper {number:02}" for number in range(9)] + ["Perihelion", "100% Per/haps", ".net daily"]
FOUND = [(f"Name {number:02}", ("PERSON", "ORG")[number % 2], 1 + number // 4) for number in range(30)]
ODD = "<script>alert(1)</script> & Söhne"


@pytest.fixture(scope="module")
def looking(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A gateway over a dozen publications; another root lies within theirs."""
    with run_pipeline(servers, tmp_path_factory.mktemp("looking"), READ_SECONDS="20") as pipeline:
        places = Places(pipeline.firestore, pipeline.root)
        for number, name in enumerate(NAMES):
            store(places, name, [("Angela Merkel", "PERSON", number + 1), ("Angola", "GPE", 2), ("Zürich", "GPE", 1)])
        store(places, "Many", [*FOUND, (ODD, "ORG", 9), ("n" * 300, "ORG", 3)])
        store(Places(pipeline.firestore, f"{pipeline.root}/replays/one"), "Elsewhere", [("Angela Merkel", "PERSON", 9)])
        pipeline.start("gateway")
        yield pipeline


def get(pipeline: Pipeline, path: str, headers: dict[str, str] | None = None, **query: str | int) -> httpx.Response:
    url = pipeline.the("gateway").url
    return httpx.get(url + path, params=query or None, headers=headers, timeout=30, trust_env=False)


@pytest.mark.parametrize(
    ("path", "what", "query"),
    [
        ("/publications", "publications", {"order": "articles"}),
        ("/publications/many/entities", "entities", {}),
        ("/publications/many/entities", "entities", {"label": "ORG"}),
        ("/entities/angela merkel", "mentions", {}),
        ("/entities", "mentions", {"prefix": "ang"}),
    ],
)
def test_pages_turn_both_ways(looking: Pipeline, path: str, what: str, query: dict[str, str]) -> None:
    """To the last page and back again, each result stands where it stood; the ends have no cursor beyond them."""

    def read(**more: str | int) -> dict[str, Any]:
        found: dict[str, Any] = get(looking, str(httpx.URL(path, params={**query, **more}))).json()
        return found

    forwards = [read(limit=4)]
    assert forwards[0]["previous_cursor"] is None
    while cursor := forwards[-1]["next_cursor"]:
        forwards.append(read(limit=4, cursor=cursor))
    assert len(forwards) > 2
    everything = read(limit=500)
    assert [each for page in forwards for each in page[what]] == everything[what]
    backwards = [forwards[-1]]
    while cursor := backwards[-1]["previous_cursor"]:
        backwards.append(read(limit=4, cursor=cursor))
    assert [page[what] for page in backwards] == [page[what] for page in forwards[::-1]]


def page_of(pipeline: Pipeline, key: str, limit: int, cursor: str | None) -> dict[str, Any]:
    asked = {"limit": limit, "cursor": cursor} if cursor else {"limit": limit}
    found: dict[str, Any] = get(pipeline, str(httpx.URL(f"/publications/{key}/entities", params=asked))).json()
    return found


def test_counts_may_change_between_two_pages(looking: Pipeline) -> None:
    """On the way forward nothing comes twice, and only what has overtaken the cursor is left out; on the way back that
    is there. The cursor holds though the very entity that it names has moved."""
    places = Places(looking.firestore, looking.root)
    counts = {f"Name {number:02}": 100 - number for number in range(30)}

    def recount(**changes: int) -> None:
        counts.update({f"Name {name[1:]}": number for name, number in changes.items()})
        store(places, "Moving", [(name, "ORG", number) for name, number in counts.items()])

    def read(cursor: str | None) -> dict[str, Any]:
        return page_of(looking, "moving", 10, cursor)

    def names(page: dict[str, Any]) -> list[str]:
        return [entity["text"] for entity in page["entities"]]

    recount()
    pages = [read(None)]
    recount(n09=500, n04=200, n25=300, n28=85, n30=72)  # the cursor's own, one that was shown, and three that were not
    while cursor := pages[-1]["next_cursor"]:
        pages.append(read(cursor))
    seen = [name for page in pages for name in names(page)]
    assert sorted(seen) == sorted(counts.keys() - {"Name 25"})
    assert seen.index("Name 28") < seen.index("Name 20") < seen.index("Name 30")
    back = [pages[-1]]
    while cursor := back[-1]["previous_cursor"]:
        back.append(read(cursor))
    assert sorted(name for page in back for name in names(page)) == sorted(counts)
    places.client.recursive_delete(places.publication("moving"))


def test_a_reader_in_the_midst_of_writing(looking: Pipeline) -> None:
    """Whatever is counted while somebody turns the pages: what is left alone is seen exactly once, nothing is twice."""
    places = Places(looking.firestore, looking.root)
    store(places, "Busy", [(f"Name {number:03}", "ORG", 1 + number // 3) for number in range(120)])
    growing = [places.entities("busy").document(entity_id("ORG", f"name {number:03}")) for number in range(0, 120, 2)]
    done = Event()

    def write() -> None:
        for number in count():
            growing[(7 * number) % len(growing)].update({"count": Increment(1 + number % 9)})
            if done.is_set():
                return

    writer = Thread(target=write)
    writer.start()
    seen: list[str] = []
    cursor: str | None = None
    try:
        while not seen or cursor:
            page = page_of(looking, "busy", 5, cursor)
            seen += [entity["text"] for entity in page["entities"]]
            cursor = page["next_cursor"]
    finally:
        done.set()
        writer.join()
    assert len(seen) == len(set(seen))
    assert {f"Name {number:03}" for number in range(1, 120, 2)} <= set(seen)
    places.client.recursive_delete(places.publication("busy"))


@pytest.mark.parametrize("prefix", ["", "p"])
def test_keys_are_read_forwards_only(looking: Pipeline, prefix: str) -> None:
    """Firestore can't do more, so no page has a cursor that would lead back."""
    found = [get(looking, "/publications", limit=4, prefix=prefix).json()]
    while cursor := found[-1]["next_cursor"]:
        found.append(get(looking, "/publications", limit=4, prefix=prefix, cursor=cursor).json())
    keys = [publication["key"] for page in found for publication in page["publications"]]
    assert keys == sorted(filter(lambda key: key.startswith(prefix), map(publication_key, [*NAMES, "Many"])))
    assert {page["previous_cursor"] for page in found} == {None}


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("PER", ["Perihelion"]),
        ("  paper  0", NAMES[:9]),
        ("100% per/", ["100% Per/haps"]),
        (".", [".net daily"]),
        ("nobody", []),
    ],
)
def test_publications_by_how_they_begin(looking: Pipeline, prefix: str, found: list[str]) -> None:
    """However it is written."""
    answer = get(looking, "/publications", prefix=prefix).json()
    assert [publication["name"] for publication in answer["publications"]] == found


def test_entities_by_how_they_begin(looking: Pipeline) -> None:
    """Of every publication of this root, in the order of their canonical forms."""
    mentions = get(looking, "/entities", prefix="ANG", limit=100).json()["mentions"]
    assert [mention["text"] for mention in mentions] == ["Angela Merkel"] * 12 + ["Angola"] * 12
    assert {mention["publication"]["name"] for mention in mentions} == set(NAMES)
    assert get(looking, "/entities", prefix="!?").json()["mentions"] == []
    assert len(get(looking, "/entities", prefix="zü").json()["mentions"]) == 12


@pytest.mark.parametrize(
    "path",
    [
        "/publications",
        "/publications/many/entities",
        "/publications?order=articles&limit=3",
        "/entities/angela merkel",
        "/entities?prefix=ang",
        "/publications/many/wordcloud.svg",
        "/",
        "/publication?name=many",
        "/entity?name=angela+merkel",
        "/search?q=ang",
    ],
)
def test_what_a_client_has_is_not_sent_again(looking: Pipeline, path: str) -> None:
    """304 for its ETag, also for a weak one among others; another ETag gets the whole answer."""
    first = get(looking, path)
    tag = first.headers["ETag"]
    assert "Cache-Control" in first.headers
    for given in (tag, f'"other", W/{tag}', "*"):
        again = get(looking, path, {"If-None-Match": given})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
        assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
    assert get(looking, path, {"If-None-Match": '"other"'}).content == first.content


@pytest.mark.parametrize("path", ["/publications", "/publications/many/wordcloud.svg", "/", "/live", "/health/ready"])
def test_head_is_get_without_the_body(looking: Pipeline, path: str) -> None:
    """`curl -I`, monitors and caches ask so."""
    answer = httpx.head(looking.the("gateway").url + path, timeout=30, trust_env=False)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 0
    assert ("ETag" in answer.headers) == (path != "/health/ready")


@pytest.mark.parametrize(
    "path",
    [
        "/publications/nobody/entities",
        "/publications/nobody/wordcloud.svg",
        "/publications?limit=0",
        "/entities/x?cursor=nonsense",
        "/publication?name=nobody",
    ],
)
def test_no_cache_keeps_a_refusal(looking: Pipeline, path: str) -> None:
    """What is not there may be a moment later."""
    answer = get(looking, path)
    assert answer.status_code in {404, 422}
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_etag_changes_with_the_counts(looking: Pipeline) -> None:
    """So nobody looks at old ones."""
    before = get(looking, "/publications/changing/entities")
    assert (before.status_code, before.headers.get("ETag")) == (404, None)
    places = Places(looking.firestore, looking.root)
    tags = []
    for mentions in (1, 2):
        store(places, "Changing", [("Oslo", "GPE", mentions)])
        tags.append(get(looking, "/publications/changing/entities").headers["ETag"])
    assert tags[0] != tags[1]
    places.client.recursive_delete(places.publication("changing"))


def test_a_word_cloud(looking: Pipeline) -> None:
    """Names as text and nothing else, the long ones cut; the same again within the minute; 404 for nobody."""
    answer = get(looking, "/publications/many/wordcloud.svg")
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; Söhne" in answer.text
    assert "<script" not in answer.text
    assert shorten("n" * 300) in answer.text
    assert get(looking, "/publications/many/wordcloud.svg").content == answer.content
    assert get(looking, "/publications/nobody/wordcloud.svg").status_code == 404
    assert get(looking, "/publications/%20/wordcloud.svg").status_code == 404
    people = get(looking, "/publications/many/wordcloud.svg", label="PERSON").text
    assert "Name 28" in people
    assert "Name 29" not in people
    assert "<text" not in get(looking, "/publications/many/wordcloud.svg", label="LAW").text


def test_live_figures(looking: Pipeline) -> None:
    """Of topics and groups on which nothing has happened yet."""
    figures = get(looking, "/live").json()
    assert figures["lag"] == {"extractor": 0, "saver": 0}
    assert figures["dead_letters"] == {"extractor": 0, "saver": 0}


@pytest.mark.parametrize("path", ["/publication", "/publication?name=%20", "/entity?name=!", "/?cursor=nonsense"])
def test_a_wrong_address_is_explained(looking: Pipeline, path: str) -> None:
    """In a page of HTML with the policy of all pages."""
    answer = get(looking, path)
    assert answer.status_code in {404, 422}
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Content-Security-Policy" in answer.headers


def test_reading_may_need_a_key(servers: Servers, tmp_path: Path) -> None:
    """Then read routes, pages and pictures all ask for it; a browser asks its user and sends it as a password.

    That password does not post: another site's page could make the browser send it.
    """
    with run_pipeline(servers, tmp_path, READS_NEED_KEY="true", READ_SECONDS="20") as pipeline:
        store(Places(pipeline.firestore, pipeline.root), "Many", FOUND)
        pipeline.start("gateway")
        basic = {"Authorization": "Basic " + base64.b64encode(f"me:{pipeline.key}".encode()).decode()}
        wrong = {"Authorization": "Basic " + base64.b64encode(b"me:wrong").decode()}
        for path in (
            "/",
            "/publication?name=many",
            "/entity?name=Name+01",
            "/search?q=name",
            "/publications",
            "/publications/many/entities",
            "/publications/many/wordcloud.svg",
            "/entities?prefix=name",
            "/entities/Name%2001",
            "/live",
        ):
            for headers in ({}, wrong):
                assert get(pipeline, path, headers).status_code == 401
            for headers in (basic, {"X-API-Key": pipeline.key}):
                answer = get(pipeline, path, headers)
                assert answer.status_code == 200
                assert answer.headers["Cache-Control"].startswith("private, ")
        refused = get(pipeline, "/")
        assert refused.headers["WWW-Authenticate"].startswith("Basic ")
        assert "Content-Security-Policy" in refused.headers
        assert get(pipeline, "/static/style.css").status_code == 200
        url = f"{pipeline.the('gateway').url}/post/enqueue"
        assert httpx.post(url, json={"publication": "x", "content": "y"}, headers=basic).status_code == 401
        assert publication_key("Many") in get(pipeline, "/publications", basic).text
