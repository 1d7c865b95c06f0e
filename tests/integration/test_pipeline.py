"""The promise, end to end: what got a 201 is counted exactly once."""

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import Message

from cli.emulator import Emulator, start_emulator
from shared.messages import CONTENT_MAX_CHARS
from tests.eventually import eventually, settles
from tests.kafka_tools import rewind
from tests.oracle import expected_counts
from tests.pipeline import Pipeline, articles, run_pipeline
from tests.servers import Servers

DEAD_LETTER_HEADERS = {
    *("error.type", "error.message", "source.topic", "source.partition", "source.offset", "service", "failed_at")
}
MINIMAL = {"publication": "Reuters", "content": "Wangari Maathai spoke in Nairobi."}


@pytest.fixture
def running(pipeline: Pipeline) -> Pipeline:
    """The three services, one of each."""
    pipeline.start_all()
    return pipeline


def dead_letters(pipeline: Pipeline, topic: str, count: int) -> list[Message]:
    """The records of a dead-letter topic, once there are as many as expected; their headers are complete."""
    settles(lambda: len(pipeline.records(topic)), count)
    dead = pipeline.records(topic)
    for record in dead:
        assert dict(record.headers() or []).keys() == DEAD_LETTER_HEADERS
        assert header(record, "source.topic") == pipeline.topics[topic.removesuffix("_dlq")]
    return dead


def header(record: Message, name: str) -> str:
    value = dict(record.headers() or [])[name]
    return value.decode() if isinstance(value, bytes) else str(value)


def kinds(dead: list[Message]) -> dict[bytes | None, str]:
    """Each dead letter's value, and why it was given up."""
    return {record.value(): header(record, "error.type") for record in dead}


def test_articles_posted_over_http_are_counted_exactly(running: Pipeline) -> None:
    """Per publication and per entity, equal to the same model in one process."""
    posts = articles(60)
    assert [running.post(post).status_code for post in posts] == [201] * len(posts)
    running.counts_become(posts)


def test_the_same_id_sent_twice_counts_once(running: Pipeline) -> None:
    """A client whose answer was lost sends again; the second copy is left out by the ledger."""
    for _ in range(2):
        assert running.post(MINIMAL | {"id": "again"}).status_code == 201
    settles(lambda: running.metric("saver", "namedrop_saver_duplicates_total", caught_by="recent"), 1.0)
    assert running.counts() == expected_counts([MINIMAL])


def test_a_line_typed_into_the_console_producer_counts(running: Pipeline) -> None:
    """`publication` and `content` are enough; the id is then the post's place."""
    running.produce_posts([MINIMAL])
    running.counts_become([MINIMAL])
    (record,) = running.records("entities")
    message = json.loads(record.value())
    source = message["source"]
    assert message["post_id"] == f"posts-{source['partition']}-{source['offset']}"
    assert record.key() == b"reuters"


def test_spellings_of_a_publication_are_one(running: Pipeline) -> None:
    """Case and white space do not matter; what Firestore forbids in an id is stored under another, and shown as is."""
    posts = [MINIMAL | {"publication": name} for name in ("The  Verge ", "the verge", "a/b", ".", "__a__", "x" * 1500)]
    for post in posts:
        assert running.post(post).status_code == 201
    running.counts_become(posts)
    assert running.counts()["the verge", "articles"] == 2


def test_bad_posts_become_dead_letters_and_stop_nothing(running: Pipeline) -> None:
    """Whatever is typed into `posts`: the reason and the place are in headers, key and value untouched, and the posts
    around it are counted."""
    bad = {
        b"{": "not_json",
        b"a" * 900_000: "not_json",
        b'{"publication": "Reuters"}': "wrong_shape",
        b'{"publication": " ", "content": "x"}': "wrong_shape",
        b'{"publication": "Reuters", "content": "\\ud800"}': "not_json",
        b'{"publication": "Reuters", "content": "\xff"}': "not_json",
        b"[]": "wrong_shape",
        b"": "empty",
        None: "empty",
    }
    good = [MINIMAL, {"publication": "Reuters", "content": "w" * 900_000}]
    running.produce_posts(good[:1])
    running.produce("posts", bad, key="k")
    running.produce_posts(good[1:])
    running.counts_become(good)
    dead = dead_letters(running, "posts_dlq", len(bad))
    assert kinds(dead) == bad
    assert {record.key() for record in dead} == {b"k"}


def test_bad_entities_become_dead_letters_and_stop_nothing(running: Pipeline) -> None:
    """The same for `entities`, between good messages of the same partition."""
    bad = {
        b"{": "not_json",
        b"b" * 900_000: "not_json",
        b'{"post_id": "1", "publication": "Reuters", "entities": []}': "wrong_shape",
        b"": "empty",
        None: "empty",
    }
    running.produce_posts([MINIMAL])
    running.counts_become([MINIMAL])
    running.produce("entities", bad, key="reuters")
    running.produce_posts([MINIMAL])
    running.counts_become([MINIMAL, MINIMAL])
    dead = dead_letters(running, "entities_dlq", len(bad))
    assert kinds(dead) == bad


def test_what_firestore_refuses_is_dead_lettered_alone_and_counts_when_put_back(running: Pipeline) -> None:
    """A name of 2 MB is over Firestore's limit for a document: its message is found and given up, its neighbours of the
    same batch are counted; put back with the name mended, it counts once, though later posts were counted since."""
    running.produce_posts([MINIMAL] * 3)
    running.counts_become([MINIMAL] * 3)
    running.the("extractor").stop()
    running.the("saver").kill()
    lines = [json.loads(record.value()) for record in running.records("entities")]
    source = lines[0]["source"]
    messages = [
        lines[0] | {"post_id": f"p{n}", "source": source | {"offset": 1000 + n}} for n in range(8)
    ]  # as from one posts partition, far behind the three
    messages[4]["entities"] = [{"text": "x" * 2_000_000, "label": "PERSON", "count": 1}]
    running.produce("entities", [json.dumps(message).encode() for message in messages], key="reuters")
    running.start("saver")
    settles(lambda: running.counts()["reuters", "articles"], 3 + 7)
    (dead,) = dead_letters(running, "entities_dlq", 1)
    assert kinds([dead]) == {json.dumps(messages[4]).encode(): "refused_by_firestore"}
    mended = messages[4] | {"entities": []}
    running.produce("entities", [json.dumps(mended).encode()] * 2, key="reuters")
    settles(lambda: running.metric("saver", "namedrop_saver_duplicates_total", caught_by="sources"), 1.0)
    assert running.counts()["reuters", "articles"] == 3 + 8


def test_a_text_of_a_million_characters_is_counted_piece_by_piece(running: Pipeline) -> None:
    """In any script; the mentions of all its pieces are added up."""
    sentence = "Wangari Maathai spoke in Nairobi. Später sprach sie in Zürich. 東京。 "
    content = (sentence * (CONTENT_MAX_CHARS // len(sentence) + 1))[:CONTENT_MAX_CHARS]
    post = {"publication": "Reuters", "content": content}
    assert running.post(post).status_code == 201
    running.counts_become([post])
    assert max(running.counts().values()) > 10_000


@pytest.mark.parametrize("group", ["extractor", "saver"])
def test_rewinding_a_group_changes_no_count(running: Pipeline, group: str) -> None:
    """By Kafka's own console tool. Rewound extractors emit every post again, and the ledger's `sources` leave all of
    them out; rewound savers start where their ledgers say all the same."""
    posts = articles(20)
    running.produce_posts(posts)
    running.counts_become(posts)
    running.the(group).stop()
    rewind(
        running.servers.bootstrap_servers,
        running.groups[group],
        running.topics["posts" if group == "extractor" else "entities"],
    )
    running.start(group)
    if group == "extractor":
        settles(lambda: running.metric("saver", "namedrop_saver_duplicates_total", caught_by="sources"), 20.0)
    running.produce_posts(posts[:1])
    running.counts_become([*posts, posts[0]])


def test_killed_extractors_and_savers_lose_and_repeat_nothing(running: Pipeline) -> None:
    """SIGKILL in the middle of the work, twice each; their successors go on."""
    posts = articles(120)
    for start in range(0, len(posts), 60):
        running.produce_posts(posts[start : start + 60])
        eventually(running.counts)
        running.the("extractor").kill()
        running.the("saver").kill()
        running.start("extractor", "saver")
    running.counts_become(posts)


@pytest.mark.parametrize("protocol", ["consumer", "classic"])
def test_work_is_shared_and_handed_over(pipeline: Pipeline, protocol: str) -> None:
    """Three of each, of which one leaves: under KIP-848 and under the classic protocol."""
    pipeline.environment["KAFKA_GROUP_PROTOCOL"] = protocol
    pipeline.start(*3 * ("extractor", "saver"))
    settles(lambda: pipeline.metric("extractor", "namedrop_extractor_partitions"), 48.0)
    posts = articles(60)
    pipeline.produce_posts(posts[:30])
    pipeline.the("extractor").stop()
    pipeline.the("saver").stop()
    pipeline.produce_posts(posts[30:])
    pipeline.counts_become(posts)
    settles(lambda: pipeline.metric("extractor", "namedrop_extractor_partitions"), 48.0)


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    """An emulator that a test may harm."""
    with start_emulator(tmp_path) as started:
        yield started


@pytest.fixture
def fragile(servers: Servers, emulator: Emulator, tmp_path: Path) -> Iterator[Pipeline]:
    """A pipeline on that emulator, with time limits short enough to wait for."""
    own = replace(servers, firestore_emulator_host=emulator.host)
    with run_pipeline(own, tmp_path, COMMIT_SECONDS="2", LEDGER_CHECK_SECONDS="1") as pipeline:
        pipeline.start_all()
        yield pipeline


def test_firestore_away_and_back_loses_nothing(fragile: Pipeline, emulator: Emulator) -> None:
    """Stopped in the middle of commits: their answers never come, though some are applied when it wakes up."""
    posts = articles(60)
    fragile.produce_posts(posts[:30])
    eventually(fragile.counts)
    assert emulator.pid is not None
    os.kill(emulator.pid, signal.SIGSTOP)
    fragile.produce_posts(posts[30:])
    eventually(lambda: fragile.metric("saver", "namedrop_saver_ledger_reloads_total", reason="unavailable"))
    assert fragile.post(MINIMAL).status_code == 201
    os.kill(emulator.pid, signal.SIGCONT)
    fragile.counts_become([*posts, MINIMAL])


def test_an_emulator_that_comes_back_empty_is_counted_up_again(fragile: Pipeline, emulator: Emulator) -> None:
    """The ledgers are gone together with the counts, and the savers notice without a new post."""
    posts = articles(20)
    fragile.produce_posts(posts)
    fragile.counts_become(posts)
    emulator.kill()
    emulator.start()
    emulator.wait_ready(60)
    fragile.counts_become(posts)


@pytest.mark.parametrize("kind", ["extractor", "saver"])
def test_a_missing_topic_stops_a_service_with_the_command_that_makes_it(
    servers: Servers, tmp_path: Path, kind: str
) -> None:
    """On stdout, in a log line; exit status 1."""
    with run_pipeline(servers, tmp_path) as pipeline:
        missing = f"{pipeline.name}.nowhere"
        pipeline.environment["ENTITIES_TOPIC"] = missing
        with pytest.raises(Exception, match="ended with status 1") as failure:
            pipeline.start(kind)
        assert f"Topic {missing} does not exist. Make the topics with: namedrop topics" in str(failure.value)
