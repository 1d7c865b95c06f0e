"""docs/replay.md, command by command, on the local stack: after each recipe the counts are what the page says."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from cli.home import Home
from cli.ports import free_ports
from cli.state import StackState, running_state
from tests.eventually import settles
from tests.kafka_tools import produce
from tests.oracle import expected_counts
from tests.pipeline import articles

PAGE = Path(__file__).parents[2] / "docs" / "replay.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS = 240.0
POSTS = articles(12)
MISSPELLED = {"publicaton": "Reuters", "content": "Wangari Maathai spoke in Nairobi."}
MENDED = {"publication": "Reuters", "content": MISSPELLED["content"]}


def recipes() -> dict[str, str]:
    """The commands under each heading, and under "" those of the local stack that all of them need."""
    sections = re.split(r"^## (.*)$\n", PAGE.read_text(), flags=re.MULTILINE)
    found = {"": sections[0]} | dict(zip(sections[1::2], sections[2::2], strict=True))
    return {heading: "".join(BLOCK.findall(text)) for heading, text in found.items() if BLOCK.search(text)}


class Shell:
    """A folder with a local stack in it, and the page's commands at hand."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        others = ("NAMEDROP_HOME", "KAFKA_BOOTSTRAP_SERVERS")  # the page speaks of the stack in this folder
        self._environment = {name: value for name, value in os.environ.items() if name not in others} | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "GATEWAY_PORT": str(free_ports(1)[0]),
        }

    def run(self, commands: str) -> str:
        """Their output. The first that fails ends it."""
        script = f"set -euo pipefail\n{recipes()['']}\n{commands}"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
        return done.stdout

    def recipe(self, heading: str) -> str:
        return self.run(recipes()[heading])

    @property
    def stack(self) -> StackState:
        state = running_state(Home(self._folder / ".namedrop"))
        assert state is not None
        return state

    def publications(self) -> dict[str, tuple[int, int]]:
        """Articles and mentions of each, as the gateway shows them."""
        answer = httpx.get(f"{self.stack.gateway_url}/publications", timeout=30, trust_env=False)
        found = answer.json().get("publications", [])  # none in a 503, while Firestore is slow
        return {each["key"]: (each["articles"], each["mentions"]) for each in found}

    def become(self, posts: list[dict[str, str]]) -> None:
        """Each of these is counted once."""
        counts = expected_counts(posts)
        keys = {counted[0] for counted in counts}
        settles(self.publications, {key: (counts[key, "articles"], counts[key, "mentions"]) for key in keys}, SECONDS)

    def duplicates(self, caught_by: str) -> float:
        """How many messages the saver has left out since it started."""
        text = httpx.get(str(self.stack.processes["saver-1"].metrics_url), timeout=30, trust_env=False).text
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "namedrop_saver_duplicates_total" and sample.labels["caught_by"] == caught_by
        )


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A stack with posts in it, all counted."""
    shell = Shell(tmp_path_factory.mktemp("replay"))
    try:
        shell.run("namedrop up --detach --extractors 1 --port $GATEWAY_PORT")
        produce(shell.stack.bootstrap_servers, "posts", [json.dumps(post).encode() for post in POSTS])
        shell.become(POSTS)
        yield shell
    finally:
        shell.run("namedrop down --wipe")


def test_every_recipe_of_the_page_is_here() -> None:
    """A new one needs a test."""
    assert list(recipes()) == [
        "",
        "Rewind the savers",
        "Rewind the extractors",
        "Put dead letters back",
        "Firestore restored, or wiped",
        "Count everything again, beside the old counts",
        "Keep posts for as long as you want to be able to do this",
    ]


def test_the_page_as_a_whole(shell: Shell) -> None:
    """In the page's order, with the counts after each recipe."""
    assert "entities" in shell.recipe("Rewind the savers")
    shell.become(POSTS)

    described = shell.recipe("Rewind the extractors")
    assert "CURRENT-OFFSET" in described
    settles(lambda: shell.duplicates("sources"), float(len(POSTS)), SECONDS)
    shell.become(POSTS)

    give_up(shell)
    assert "error.type:wrong_shape" in shell.recipe("Put dead letters back")
    posts = [*POSTS, MENDED, MENDED]
    shell.become(posts)

    shell.recipe("Rewind the extractors")  # which gives the misspelled post up again
    settles(lambda: dead_letters(shell), {"posts.dlq": 2, "entities.dlq": 1}, SECONDS)
    shell.recipe("Put dead letters back")
    settles(lambda: shell.duplicates("recent"), 1.0, SECONDS)
    shell.become(posts)

    shell.recipe("Firestore restored, or wiped")
    shell.become(posts)

    assert "retention.ms=7776000000" in shell.recipe("Keep posts for as long as you want to be able to do this")

    shell.recipe("Count everything again, beside the old counts")
    assert shell.stack.groups["extractor"] == "extractor.v2"
    shell.become([*POSTS, MENDED])


def give_up(shell: Shell) -> None:
    """A misspelled post, and a message that says of a counted post's twin what no reader accepts."""
    bootstrap_servers = shell.stack.bootstrap_servers
    produce(bootstrap_servers, "posts", [json.dumps(MISSPELLED).encode()])
    produce(bootstrap_servers, "entities", [message_of(MENDED)], key="reuters")
    settles(lambda: dead_letters(shell), {"posts.dlq": 1, "entities.dlq": 1}, SECONDS)


def message_of(post: dict[str, str]) -> bytes:
    """As an extractor would write it, but for a count of zero."""
    entities: list[dict[str, Any]] = [
        {"text": text, "label": counted[1], "count": 0}
        for counted in expected_counts([post])
        if len(counted) == 3
        for text in [counted[2]]
    ]
    message = {
        "post_id": "by-hand",
        "publication": post["publication"],
        "entities": entities,
        "source": {"topic_id": "by-hand", "partition": 0, "offset": 0},
        "model": "by hand",
        "extracted_at": "2026-11-24T00:00:00Z",
    }
    return json.dumps(message, separators=(",", ":")).encode()


def dead_letters(shell: Shell) -> dict[str, int]:
    found: dict[str, int] = json.loads(shell.run("namedrop status --json"))["dead_letters"]
    return found
