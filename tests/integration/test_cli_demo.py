"""`namedrop demo`: on a machine where nothing runs, and on a stack that is up."""

import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.eventually import eventually
from tests.pipeline import articles

DEMO_SECONDS = 240.0
ALL = 10_000


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Temporary files go to a folder of the test's own, and no stack is up in `home`."""
    (tmp_path / "tmp").mkdir()
    ours = {"TMPDIR": str(tmp_path / "tmp"), "NAMEDROP_HOME": str(tmp_path / "home")}
    # Where the run was given an emulator, others have counts in it, too. A Kafka that was given is not the stack's.
    ours["FIRESTORE_ROOT"] = f"tests/{secrets.token_hex(8)}"
    return {name: value for name, value in os.environ.items() if name != "KAFKA_BOOTSTRAP_SERVERS"} | ours


def run(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=DEMO_SECONDS,
        check=False,
    )


def left_behind(tmp_path: Path) -> list[object]:
    """Files and processes of a temporary stack."""
    home = str(tmp_path / "tmp")
    processes = [process for process in psutil.process_iter(["cmdline"]) if home in str(process.info["cmdline"])]
    return [*(tmp_path / "tmp").iterdir(), *processes]


def test_where_nothing_runs_the_demo_does_all_of_it(environment: dict[str, str], tmp_path: Path) -> None:
    """Its steps, a table no wider than a page, the count that agrees; and then nothing of it is left."""
    done = run(environment, "demo")
    assert done.returncode == 0, done.stderr
    count = len(articles(ALL))
    assert f"{count} articles accepted, {count} counted: every one exactly once, in " in done.stdout
    assert all(len(line.rstrip()) <= 100 for line in done.stdout.splitlines())
    assert {article["publication"].split()[0] for article in articles(ALL)} <= set(done.stdout.split())
    assert "Loading the articles" in done.stderr
    assert left_behind(tmp_path) == []


def test_a_demo_that_is_interrupted_leaves_nothing(environment: dict[str, str], tmp_path: Path) -> None:
    """While Kafka, the emulator or the services are starting."""
    with subprocess.Popen([sys.executable, "-m", "cli.main", "demo"], env=environment, stderr=subprocess.PIPE) as demo:
        eventually(lambda: left_behind(tmp_path)[1:])
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=DEMO_SECONDS)
    assert demo.returncode == 130
    assert left_behind(tmp_path) == []


@pytest.fixture
def stack(environment: dict[str, str]) -> Iterator[None]:
    """`namedrop up`, in the background."""
    up = run(environment, "up", "--detach", "--extractors=1", "--port=0")
    try:
        assert up.returncode == 0, up.stderr
        yield
    finally:
        run(environment, "down", "--wipe")


@pytest.mark.usefixtures("stack")
def test_on_a_running_stack_each_demo_adds_its_articles(environment: dict[str, str], tmp_path: Path) -> None:
    """It is left running, with all of them counted."""
    for times in (1, 2):
        done = run(environment, "demo")
        assert done.returncode == 0, done.stderr
        assert re.search(r"(\d+) articles accepted, \1 counted", done.stdout)
        counted = json.loads(run(environment, "top", "--json", "--limit=1000").stdout)
        assert sum(publication["articles"] for publication in counted) == times * len(articles(ALL))
    status = json.loads(run(environment, "status", "--json").stdout)
    names = {"gateway", "extractor-1", "saver-1", "firestore", "kafka"}
    assert {name for name, process in status["processes"].items() if process["up"] and process["pid"]} == names
    assert "namedrop_saver_ready 1.0" in httpx.get(status["processes"]["saver-1"]["metrics_url"], trust_env=False).text
    assert {name: group["lag"] for name, group in status["groups"].items()} == {"extractor": 0, "saver": 0}
    assert left_behind(tmp_path) == []
