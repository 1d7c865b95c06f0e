"""What the web page and its readers rest on: paging both ways, prefixes, ETags, pictures, keys for reading."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.gateway.drawing import shorten
from shared.firestore import Places
from shared.names import publication_key
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
        "/entities/angela merkel",
        "/publications/many/wordcloud.svg",
        "/",
        "/publication?name=many",
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


def test_an_etag_changes_with_the_counts(looking: Pipeline) -> None:
    """So nobody looks at old ones."""
    before = get(looking, "/publications/changing/entities")
    assert (before.status_code, before.headers.get("ETag")) == (404, None)
    places = Places(looking.firestore, looking.root)
    tags = []
    for count in (1, 2):
        store(places, "Changing", [("Oslo", "GPE", count)])
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
        for path in ("/", "/publication?name=many", "/publications", "/publications/many/wordcloud.svg", "/live"):
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
