"""The gateway's read routes before a real Firestore emulator."""

import socket
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from google.cloud.firestore_v1 import SERVER_TIMESTAMP

from cli.emulator import start_emulator
from shared.firestore import Places
from shared.names import canonical_entity, entity_id, publication_key
from tests.eventually import eventually
from tests.pipeline import Pipeline, run_pipeline
from tests.servers import Servers

READY_SECONDS = 60.0
POST = {"publication": "Reuters", "content": "Wangari Maathai spoke in Nairobi."}
Found = tuple[str, str, int]
"""An entity's text, label and count."""
VERGE: list[Found] = [(f"Name {number}", ("PERSON", "ORG")[number % 2], 1 + number // 4) for number in range(40)]
NAMES = ["The  Verge", "a/b", "entities", "a/entities", ".", "..", "__a__", "Ñandú — 日報 😀", "100% (?#&+;=)"]


def store(places: Places, name: str, found: Iterable[Found]) -> None:
    """Counts as the saver writes them."""
    key = publication_key(name)
    writes = places.client.batch()
    counts = {
        "name": name,
        "articles": 3,
        "mentions": sum(count for *_, count in found),
        "updated_at": SERVER_TIMESTAMP,
    }
    writes.set(places.publication(key), counts)
    for text, label, count in found:
        canonical = canonical_entity(text)
        entity = {"text": text, "label": label, "canonical": canonical, "publication": key, "count": count}
        writes.set(
            places.entities(key).document(entity_id(label, canonical)), entity | {"updated_at": SERVER_TIMESTAMP}
        )
    writes.commit()


@pytest.fixture(scope="module")
def gateway(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A gateway over a root with nine publications; another root lies within it."""
    with run_pipeline(servers, tmp_path_factory.mktemp("gateway")) as pipeline:
        places = Places(pipeline.firestore, pipeline.root)
        store(places, NAMES[0], VERGE)
        for number, name in enumerate(NAMES[1:], 1):
            store(places, name, [("the European Union", "ORG", number), ("EU/Africa summit", "EVENT", 1)])
        inner = Places(pipeline.firestore, f"{pipeline.root}/replays/one")
        store(inner, "Elsewhere", [("European Union's", "ORG", 99)])
        pipeline.start("gateway")
        yield pipeline


def get(pipeline: Pipeline, path: str, **query: str | int) -> httpx.Response:
    return httpx.get(pipeline.the("gateway").url + path, params=query or None, timeout=30)


def pages(pipeline: Pipeline, path: str, what: str, **query: str | int) -> list[list[dict[str, object]]]:
    """All pages of a route's results, by their cursors."""
    found = []
    cursor: dict[str, str] = {}
    while True:
        answer = get(pipeline, path, **query, **cursor)
        assert answer.status_code == 200, answer.text
        found.append(answer.json()[what])
        if answer.json()["next_cursor"] is None:
            return found
        cursor = {"cursor": answer.json()["next_cursor"]}


def test_all_publications_page_by_page(gateway: Pipeline) -> None:
    """Each once, shown as they are, with their counts."""
    found = pages(gateway, "/publications", "publications", limit=4)
    assert [len(page) for page in found] == [4, 4, 1]
    by_name = {str(each["name"]): each for page in found for each in page}
    assert by_name.keys() == set(NAMES)
    verge = by_name["The  Verge"]
    assert (verge["key"], verge["articles"], verge["mentions"]) == ("the verge", 3, sum(count for *_, count in VERGE))
    assert str(verge["updated_at"]).startswith("20")


@pytest.mark.parametrize("limit", [7, 40, 500])
def test_the_most_mentioned_come_first(gateway: Pipeline, limit: int) -> None:
    """On pages of any size each entity once, also among the many with equal counts."""
    found = pages(gateway, "/publications/the verge/entities", "entities", limit=limit)
    entities = [(str(each["text"]), str(each["label"]), int(str(each["count"]))) for page in found for each in page]
    assert sorted(entities) == sorted(VERGE)
    counts = [count for *_, count in entities]
    assert counts == sorted(counts, reverse=True)


def test_only_one_label(gateway: Pipeline) -> None:
    """Paged as well; a label that nothing has gives an empty page."""
    found = pages(gateway, "/publications/the verge/entities", "entities", limit=6, label="ORG")
    assert {each["label"] for page in found for each in page} == {"ORG"}
    assert sum(map(len, found)) == 20
    assert pages(gateway, "/publications/the verge/entities", "entities", label="GPE") == [[]]


@pytest.mark.parametrize("name", ["The Verge", "the  VERGE", " the verge\t", *NAMES])
def test_a_publication_is_found_by_any_spelling(gateway: Pipeline, name: str) -> None:
    """With slashes and any Unicode. `.` and `..` need a space before them: clients take them for steps in the path."""
    spelled = f" {name}" if name in {".", ".."} else name
    answer = get(gateway, f"/publications/{quote(spelled, safe='')}/entities")
    assert answer.status_code == 200
    assert answer.json()["publication"]["key"] == publication_key(name)


def test_a_slash_may_stand_as_it_is(gateway: Pipeline) -> None:
    """`/publications/a/b/entities` is the publication `a/b`."""
    assert get(gateway, "/publications/a/b/entities").json()["publication"]["name"] == "a/b"


@pytest.mark.parametrize("name", ["nobody", "%20", "the verge/entities", "a%2Fb%2Fc"])
def test_an_unknown_publication_is_404(gateway: Pipeline, name: str) -> None:
    """With the name in the answer."""
    answer = get(gateway, f"/publications/{name}/entities")
    assert answer.status_code == 404
    assert "There is no publication" in answer.json()["detail"]


@pytest.mark.parametrize("text", ["European Union", "the european union", "“EUROPEAN UNION’s”"])
def test_who_mentions_an_entity(gateway: Pipeline, text: str) -> None:
    """All publications of this root, most mentions first, by whichever spelling; those of the root within it are not
    ours."""
    found = pages(gateway, f"/entities/{quote(text, safe='')}", "mentions", limit=3)
    mentions = [each for page in found for each in page]
    assert [each["count"] for each in mentions] == [8, 7, 6, 5, 4, 3, 2, 1]
    assert [publication_name(each) for each in mentions] == NAMES[:0:-1]
    assert {(each["text"], each["label"]) for each in mentions} == {("the European Union", "ORG")}


def publication_name(mention: dict[str, object]) -> str:
    publication = mention["publication"]
    assert isinstance(publication, dict)
    return str(publication["name"])


def test_an_entity_with_a_slash(gateway: Pipeline) -> None:
    """As it is, or as %2F."""
    for path in ("/entities/EU/Africa summit", "/entities/EU%2FAfrica%20summit"):
        assert len(get(gateway, path).json()["mentions"]) == 8


@pytest.mark.parametrize("text", ["Nobody Knows", "!?", "%F0%9F%98%80", "%00"])
def test_what_nobody_mentions_is_an_empty_list(gateway: Pipeline, text: str) -> None:
    """And no error."""
    answer = get(gateway, f"/entities/{text}")
    assert (answer.status_code, answer.json()["mentions"], answer.json()["next_cursor"]) == (200, [], None)


def test_a_cursor_is_good_for_its_query_only(gateway: Pipeline) -> None:
    """Any other use is 422, and so is what was never a cursor."""
    path = "/publications/the verge/entities"
    cursor = get(gateway, path, limit=1).json()["next_cursor"]
    assert get(gateway, path, cursor=cursor).status_code == 200
    for wrong in (
        get(gateway, path, cursor=cursor, label="ORG"),
        get(gateway, "/publications/a%2Fb/entities", cursor=cursor),
        get(gateway, "/publications", cursor=cursor),
        get(gateway, "/entities/x", cursor=cursor),
        get(gateway, path, cursor="nonsense"),
    ):
        assert wrong.status_code == 422
        assert wrong.json()["detail"][0]["loc"] == ["query", "cursor"]


def test_firestore_away_stops_the_reading_only(servers: Servers, tmp_path: Path) -> None:
    """503 at once, posts are taken in, ready stays ready; and reading goes on when it is back."""
    with (
        start_emulator(tmp_path) as emulator,
        run_pipeline(Servers(servers.bootstrap_servers, emulator.host), tmp_path) as pipeline,
    ):
        pipeline.start("gateway")
        eventually(lambda: get(pipeline, "/publications").status_code == 200, within_seconds=20)
        emulator.kill()
        for path in ("/publications", "/publications/x/entities", "/entities/x", "/", "/publication?name=x"):
            answer = get(pipeline, path)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
            assert answer.elapsed.total_seconds() < 2
        assert pipeline.post(POST).status_code == 201
        assert get(pipeline, "/health/ready").status_code == 200
        emulator.start()
        emulator.wait_ready(READY_SECONDS)
        eventually(lambda: get(pipeline, "/publications").status_code == 200, within_seconds=20)


def test_a_firestore_that_hangs_stops_the_reading_only(servers: Servers, tmp_path: Path) -> None:
    """It takes connections and says nothing: 503 within READ_SECONDS, however many ask, while posts go through."""
    with (
        socket.create_server(("127.0.0.1", 0), backlog=100) as silent,
        run_pipeline(Servers(servers.bootstrap_servers, f"127.0.0.1:{silent.getsockname()[1]}"), tmp_path) as pipeline,
    ):
        pipeline.start("gateway", READ_SECONDS="1.5")
        with ThreadPoolExecutor(40) as threads:
            asked = [threads.submit(get, pipeline, "/publications") for _ in range(40)]
            assert pipeline.post(POST).status_code == 201
            answers = [each.result() for each in asked]
        assert {answer.status_code for answer in answers} == {503}
        assert max(answer.elapsed.total_seconds() for answer in answers) < 6
