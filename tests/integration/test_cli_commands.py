"""`namedrop load`, `top`, `status` and `topics` with real services, a real broker and the real emulator."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from cli.kafka import silent
from cli.service import Gateway
from shared.names import canonical_entity, publication_key
from tests.eventually import eventually, settles
from tests.kafka_tools import produce
from tests.pipeline import Pipeline, articles

COMMAND_SECONDS = 120.0
NAMES = ["Reuters", "a/b", ".", "..", "__a__", "100 % [red]"]

Namedrop = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def environment(pipeline: Pipeline, tmp_path: Path) -> dict[str, str]:
    """What a user would set; the URL once there is a gateway."""
    ours = {"NAMEDROP_API_KEY": pipeline.key, "NAMEDROP_HOME": str(tmp_path / "home")}
    return pipeline.environment | ours | {"XDG_STATE_HOME": str(tmp_path / "state")}


@pytest.fixture
def namedrop(environment: dict[str, str], pipeline: Pipeline) -> Namedrop:
    """Runs a command on the pipeline."""

    def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        gateways = [service.url for service in pipeline.services if isinstance(service, Gateway)]
        return subprocess.run(
            [sys.executable, "-m", "cli.main", *arguments],
            env=environment | ({"NAMEDROP_URL": gateways[-1]} if gateways else {}),
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )

    return run


def status(namedrop: Namedrop) -> dict[str, Any]:
    done = namedrop("status", "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def lags(namedrop: Namedrop) -> dict[str, int]:
    return {service: group["lag"] for service, group in status(namedrop)["groups"].items()}


def json_lines(path: Path, posts: list[dict[str, str]]) -> Path:
    path.write_text("".join(json.dumps(post, ensure_ascii=False) + "\n" for post in posts), encoding="utf-8")
    return path


def test_what_is_loaded_is_counted_and_shown(pipeline: Pipeline, namedrop: Namedrop, tmp_path: Path) -> None:
    """From the file to the table; publications with names that Firestore forbids as ids included."""
    pipeline.start_all()
    posts = articles(20) + [{"publication": name, "content": "Wangari Maathai left Oslo."} for name in NAMES]
    done = namedrop("load", json_lines(tmp_path / "a.jsonl", posts))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("26 articles accepted in ")
    settles(lambda: lags(namedrop), {"extractor": 0, "saver": 0})
    pipeline.counts_become(posts)

    counted = pipeline.counts()
    shown = json.loads(namedrop("top", "--json", "--limit=1000").stdout)
    assert {each["key"]: each["articles"] for each in shown} == {
        key: count for (key, *what), count in counted.items() if what == ["articles"]
    }
    for name in NAMES:
        found = json.loads(namedrop("top", name, "--json", "--limit=1000").stdout)
        assert found, f"nothing in {name!r}"
        assert {(each["label"], canonical_entity(each["text"])): each["count"] for each in found} == {
            tuple(what): count for (key, *what), count in counted.items() if key == publication_key(name) and what[1:]
        }
    table = namedrop("top", "--limit=1000").stdout
    assert "100 % [red]" in table
    assert "\x1b" not in table


def test_a_load_outlives_its_gateway(
    pipeline: Pipeline, namedrop: Namedrop, environment: dict[str, str], tmp_path: Path
) -> None:
    """Killed in the middle and started again: the same ids go out again, and each article is counted once."""
    pipeline.start_all()
    gateway = pipeline.the("gateway")
    text = "Kofi Annan flew to Accra. " + "x" * 2000  # much to send, little to read for the model
    posts = [{"publication": f"Paper {number % 7}", "content": text} for number in range(2000)]
    load = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "load", json_lines(tmp_path / "a.jsonl", posts)],
        env=environment | {"NAMEDROP_URL": gateway.url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with load:
        eventually(lambda: pipeline.metric("gateway", "namedrop_gateway_posts_accepted_total") > 200)
        gateway.kill()
        gateway.start()
        out, err = load.communicate(timeout=COMMAND_SECONDS)
    assert (load.returncode, err) == (0, "")
    assert out.startswith("2,000 articles accepted in ")
    pipeline.counts_become(posts)


def test_status_counts_records_and_not_transaction_markers(pipeline: Pipeline, namedrop: Namedrop) -> None:
    """Behind the last record that a group has read stand markers, and what an aborted transaction left."""
    produce(pipeline.servers.bootstrap_servers, pipeline.topics["entities"], [b"not an entity"] * 30, key="k")
    assert lags(namedrop) == {"extractor": 0, "saver": 30}
    before = status(namedrop)
    assert before["groups"]["saver"]["state"] in {"dead", "empty"}
    assert before["dead_letters"] == {pipeline.topics["posts_dlq"]: 0, pipeline.topics["entities_dlq"]: 0}

    pipeline.start("saver")
    settles(lambda: lags(namedrop)["saver"], 0)
    write_in_transactions(pipeline, pipeline.topics["posts_dlq"], [True, True, False])
    found = status(namedrop)
    saver = found["groups"]["saver"]
    assert {name: saver[name] for name in ("state", "members", "partitions", "lag")} == {
        "state": "stable",
        "members": 1,
        "partitions": 12,
        "lag": 0,
    }
    assert found["dead_letters"] == {pipeline.topics["posts_dlq"]: 20, pipeline.topics["entities_dlq"]: 30}

    pipeline.the("saver").stop()
    write_in_transactions(pipeline, pipeline.topics["entities"], [False])
    assert lags(namedrop)["saver"] == 0
    write_in_transactions(pipeline, pipeline.topics["entities"], [True])
    assert lags(namedrop)["saver"] == 10


def write_in_transactions(pipeline: Pipeline, topic: str, commit: list[bool]) -> None:
    """Ten records in each, in one partition; those that are not committed are aborted."""
    config = {"bootstrap.servers": pipeline.servers.bootstrap_servers, "transactional.id": f"{pipeline.name}.test"}
    producer = Producer(config, logger=silent)
    producer.init_transactions(30)
    for committed in commit:
        producer.begin_transaction()
        for _ in range(10):
            producer.produce(topic, b"x", "k")
        assert producer.flush(30) == 0
        (producer.commit_transaction if committed else producer.abort_transaction)(30)


def test_status_as_a_table_is_for_people(pipeline: Pipeline, namedrop: Namedrop) -> None:
    """The same numbers, and no escape sequences in a pipe."""
    produce(pipeline.servers.bootstrap_servers, pipeline.topics["posts"], [b"{}"] * 3)
    lines = [line.split() for line in namedrop("status").stdout.splitlines()]
    assert ["group", "reads", "state", "members", "partitions", "lag"] in lines
    group, topic = pipeline.groups["extractor"], pipeline.topics["posts"]
    assert [group, topic, "dead", "0", "0", "3"] in lines
    assert [pipeline.topics["posts_dlq"], "0"] in lines


def test_topics_are_made_once(pipeline: Pipeline, environment: dict[str, str], namedrop: Namedrop) -> None:
    """It says what it made; what is there is left alone."""
    environment["POSTS_TOPIC"] = f"{pipeline.name}.more"
    first, again = namedrop("topics"), namedrop("topics")
    assert first.stdout.splitlines() == [
        f"{pipeline.name}.more: made, 48 partitions",
        *(f"{pipeline.topics[name]}: was there" for name in ("entities", "posts_dlq", "entities_dlq")),
    ]
    assert again.stdout == first.stdout.replace("made, 48 partitions", "was there")
    environment["POSTS_TOPIC"] = f"{pipeline.name}.too-many-copies"
    refused = namedrop("topics", "--replication=3")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(f"namedrop: Topic {pipeline.name}.too-many-copies could not be made: ")


def test_without_kafka_it_is_one_line(environment: dict[str, str], namedrop: Namedrop) -> None:
    """With the address, and what to do."""
    environment["KAFKA_BOOTSTRAP_SERVERS"] = "127.0.0.1:1"
    done = namedrop("status")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("namedrop: No Kafka answers at 127.0.0.1:1")
    assert done.stderr.count("\n") == 1
