"""`namedrop load` before a stand-in of the gateway: what it sends, what it says, and how it goes on."""

import gzip
import json
import os
import signal
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from cli.articles import Article
from cli.enqueue import enqueue
from cli.gateway import open_gateway
from tests.unit.command_line import CommandLine
from tests.unit.gateway_stand_in import KEY, Answer, Json, accept


def json_lines(path: Path, posts: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(post, ensure_ascii=False) + "\n" for post in posts), encoding="utf-8")
    return path


def numbered(count: int) -> list[dict[str, Any]]:
    return [{"publication": "Reuters", "content": f"Article {number}."} for number in range(count)]


def busy_three_times(number: int) -> tuple[int, Json, dict[str, str]] | None:
    return (503, {"detail": "Kafka is away."}, {"Retry-After": "0"}) if number <= 3 else None


def test_all_files_are_loaded_and_the_exit_status_is_0(namedrop: CommandLine, tmp_path: Path) -> None:
    """CSV and JSON lines together, each with its own fields."""
    table = tmp_path / "a.csv.gz"
    table.write_bytes(gzip.compress("id,paper,body\none,Le Monde,Où est Simone Veil ?\n".encode()))
    more = json_lines(tmp_path / "b.jsonl", [{"id": "two", "body": "Text", "title": "Head", "unknown": 1}])
    done = namedrop.run(
        "load", table, more, "--publication-column=paper", "--content-column=body", "--publication=Reuters"
    )
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("2 articles accepted in ")
    assert sorted(namedrop.gateway.posts, key=lambda post: str(post["id"])) == [
        {"id": "one", "publication": "Le Monde", "content": "Où est Simone Veil ?"},
        {"id": "two", "publication": "Reuters", "content": "Text", "title": "Head"},
    ]


def test_what_is_refused_is_counted_by_reason(namedrop: CommandLine, tmp_path: Path) -> None:
    """With the first lines of each; what is no article at all is among it, and the exit status is 1."""

    def judge(post: Json) -> Answer:
        if not post["content"]:
            return 422, {"detail": [{"loc": ["body", "content"], "msg": "Value error, must not be blank", "type": "x"}]}
        return accept(post)

    namedrop.gateway.judge = judge
    posts = [*numbered(5), *({"publication": "A", "content": ""} for _ in range(8)), *numbered(3)]
    path = json_lines(tmp_path / "a.jsonl", posts)
    path.write_text(path.read_text() + "oops\n")
    done = namedrop.run("load", path)
    assert done.status == 1
    first, _, _, *rows = done.out.splitlines()
    assert first.endswith("9 refused.")
    assert [row.split(maxsplit=1) for row in map(str.strip, rows)] == [
        ["8", "content: must not be blank  a.jsonl:6, a.jsonl:7, a.jsonl:8, a.jsonl:9, a.jsonl:10"],
        ["1", "not JSON                    a.jsonl:17"],
    ]
    assert len(namedrop.gateway.posts) == 8


def test_the_refused_can_be_mended_and_loaded(namedrop: CommandLine, tmp_path: Path) -> None:
    """They are kept as JSON lines with their ids and the reason."""
    namedrop.gateway.judge = lambda post: (413, {"detail": "Too large."}) if "x" in post["content"] else accept(post)
    path = json_lines(tmp_path / "a.jsonl", [{"publication": "A", "content": text} for text in ("xx", "y")])
    refused = tmp_path / "refused.jsonl"
    assert namedrop.run("load", path, "--refused", refused).status == 1
    (kept,) = [json.loads(line) for line in refused.read_text().splitlines()]
    assert (kept["content"], kept["line"], kept["refused"]) == ("xx", 1, "Too large.")
    mended = json_lines(tmp_path / "mended.jsonl", [kept | {"content": "short"}])
    assert namedrop.run("load", mended).status == 0
    assert namedrop.gateway.posts[-1] == {"publication": "A", "content": "short", "id": kept["id"]}


def test_a_busy_gateway_gets_the_same_ids_again(namedrop: CommandLine, tmp_path: Path) -> None:
    """Whether it turns away the request or single posts; each is accepted once in the end."""
    turned_away: list[str] = []

    def judge(post: Json) -> Answer:
        if post["id"] not in turned_away and post["content"].endswith("7."):
            turned_away.append(post["id"])
            return 503, {"detail": "Kafka did not acknowledge the post."}
        return accept(post)

    namedrop.gateway.before, namedrop.gateway.judge = busy_three_times, judge
    assert namedrop.run("load", json_lines(tmp_path / "a.jsonl", numbered(1000))).status == 0
    contents = sorted(post["content"] for post in namedrop.gateway.posts)
    assert contents == sorted(post["content"] for post in numbered(1000))
    assert len(turned_away) == 100
    assert set(turned_away) <= set(namedrop.gateway.ids)


def test_a_gateway_that_asks_for_time_gets_it(namedrop: CommandLine) -> None:
    """Retry-After is in seconds; without it the waits grow from a fraction of a second."""
    waits: list[float] = []

    class Clock(Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0.0)
            return False

    answers = {1: {"Retry-After": "7"}, 2: {}}
    namedrop.gateway.before = lambda number: (503, {}, answers[number]) if number in answers else None
    article = Article(1, {"id": "one", "publication": "A", "content": "B"})
    with open_gateway(namedrop.gateway.url, KEY) as client:
        assert enqueue(client, [article], Clock(), patience_seconds=60) == {1: None}
    assert waits[0] == 7.0
    assert 0 < waits[1] < 1


def test_a_gateway_that_stays_away_is_given_up(namedrop: CommandLine, tmp_path: Path) -> None:
    """In one line that says why, after the time that was asked for."""
    path = json_lines(tmp_path / "a.jsonl", numbered(3))
    done = namedrop.run("load", path, "--url=http://127.0.0.1:1", "--patience=0.2")
    assert (done.status, done.out) == (1, "")
    assert done.err.count("\n") == 1
    assert "http://127.0.0.1:1 took nothing for 0.2 seconds: " in done.err
    assert "Connection refused" in done.err


def test_a_wrong_key_is_told_at_once(namedrop: CommandLine, tmp_path: Path) -> None:
    """Trying again would not help."""
    done = namedrop.run("load", json_lines(tmp_path / "a.jsonl", numbered(3)), "--key=wrong")
    assert (done.status, done.out) == (1, "")
    assert done.err == f"namedrop: {namedrop.gateway.url} refused the posts: The API key is wrong.\n"


@pytest.mark.parametrize("stopped_by", [signal.SIGINT, signal.SIGTERM])
def test_a_load_that_was_stopped_goes_on_where_it_was(
    namedrop: CommandLine, tmp_path: Path, stopped_by: signal.Signals
) -> None:
    """Its second file, its refusals and its accepted articles are remembered, and forgotten when it is through."""

    def interrupt(number: int) -> None:
        if number == 12:
            os.kill(os.getpid(), stopped_by)

    def judge(post: Json) -> Answer:
        return (422, {"detail": "No."}) if post["content"] == "Article 0." else accept(post)

    namedrop.gateway.before, namedrop.gateway.judge = interrupt, judge
    files = [json_lines(tmp_path / name, numbered(2000)) for name in ("a.jsonl", "b.jsonl")]
    files[1].write_text(files[1].read_text().replace("Reuters", "AFP"))
    refused = tmp_path / "refused.jsonl"
    stopped = namedrop.run("load", *files, "--refused", refused)
    assert stopped.status == 130
    assert stopped.err == "Stopped. The same command goes on from there.\n"
    first = len(namedrop.gateway.posts)
    assert 1999 < first < 3998

    done = namedrop.run("load", *files, "--refused", refused)
    assert done.err.startswith("Going on at b.jsonl:")
    assert done.status == 1
    assert "(3,998 with what was loaded before); 2 refused." in done.out
    assert "a.jsonl:1, b.jsonl:1" in done.out
    assert len(set(namedrop.gateway.ids)) == len(namedrop.gateway.posts) == 3998
    assert [json.loads(line)["publication"] for line in refused.read_text().splitlines()] == ["Reuters", "AFP"]
    assert not list((tmp_path / "state").rglob("*.*"))


def test_a_restart_begins_at_the_beginning_with_the_same_ids(namedrop: CommandLine, tmp_path: Path) -> None:
    """So what the savers remember of the first time is not counted again."""
    path = json_lines(tmp_path / "a.jsonl", numbered(3000))
    namedrop.gateway.before = lambda number: os.kill(os.getpid(), signal.SIGINT) if number == 3 else None
    assert namedrop.run("load", path).status == 130
    before = set(namedrop.gateway.ids)
    namedrop.gateway.before = lambda _number: None
    done = namedrop.run("load", path, "--restart")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("3,000 articles accepted")
    assert 0 < len(before) < 3000
    assert before <= set(namedrop.gateway.ids[len(before) :])


def test_equal_articles_of_one_file_are_different_posts(namedrop: CommandLine, tmp_path: Path) -> None:
    """And each has the same id when the file is loaded once more."""
    path = json_lines(tmp_path / "a.jsonl", [{"publication": "A", "content": "B"}] * 2)
    assert namedrop.run("load", path).status == 0
    assert namedrop.run("load", path).status == 0
    first, second = namedrop.gateway.ids[:2], namedrop.gateway.ids[2:]
    assert len(set(first)) == 2
    assert first == second


def test_a_gateway_that_goes_away_half_way_loses_nothing(namedrop: CommandLine, tmp_path: Path) -> None:
    """What was accepted is remembered, and said together with how to go on."""
    namedrop.gateway.before = lambda number: (503, {"detail": "Kafka is away."}, {}) if number > 6 else None
    path = json_lines(tmp_path / "a.jsonl", numbered(3000))
    broken = namedrop.run("load", path, "--patience=0.2")
    assert broken.status == 1
    assert broken.err.endswith("took nothing for 0.2 seconds: Kafka is away. The same command goes on from there.\n")
    namedrop.gateway.before = lambda _number: None
    assert namedrop.run("load", path).status == 0
    assert len(set(namedrop.gateway.ids)) == 3000


def test_a_lone_surrogate_reaches_the_gateway_as_it_was_written(namedrop: CommandLine, tmp_path: Path) -> None:
    """The gateway refuses it by its field; here it must not break anything."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"publication": "A", "content": "a\\ud800b"}\n')
    assert namedrop.run("load", path).status == 0
    assert namedrop.gateway.posts[0]["content"] == "a\ud800b"


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", "paper,content\nA,B\n", "no column publication, only paper, content"),
        ("a.txt", "", "must end in"),
        (None, "", "does not exist"),
    ],
)
def test_wrong_usage_ends_with_2_before_anything_is_sent(
    namedrop: CommandLine, tmp_path: Path, name: str | None, data: str, message: str
) -> None:
    """Also when only the second of two files is wrong."""
    good = json_lines(tmp_path / "good.jsonl", numbered(3))
    wrong = tmp_path / (name or "nothing.csv")
    if name:
        wrong.write_text(data)
    done = namedrop.run("load", good, wrong)
    assert (done.status, done.out, namedrop.gateway.posts) == (2, "", [])
    assert message in done.err


def test_without_a_gateway_it_says_what_to_do(
    namedrop: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No stack runs here and no other gateway is named: it may run elsewhere."""
    monkeypatch.delenv("NAMEDROP_URL")
    done = namedrop.run("load", json_lines(tmp_path / "a.jsonl", numbered(1)))
    assert done.status == 1
    assert done.err == (
        f"namedrop: No stack is running in {tmp_path / 'home'}: start one with `namedrop up`, or name the .namedrop "
        "folder of another with NAMEDROP_HOME, or a gateway with --url\n"
    )
