"""The local stack as its users have it: `namedrop up`, `down` and `kafka`, and the broker under them."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from cli.home import Home
from cli.kafka import Broker, start_kafka
from cli.keys import entry, new_key
from cli.state import StackState, read_state, running_state
from tests.eventually import eventually
from tests.kafka_tools import produce, records

COMMAND = [sys.executable, "-m", "cli.main"]
SMALL = ["up", "--extractors=1", "--port=0"]
SECONDS = 180.0
OUR_KEY = new_key()
API_KEYS = f"{entry('ours', OUR_KEY)}\n# the last line may be a comment"


def environment(home: Home, api_keys: str = API_KEYS) -> dict[str, str]:
    """Without the broker that the other tests may have been given: `namedrop kafka` would ask that one."""
    inherited = {name: value for name, value in os.environ.items() if name != "KAFKA_BOOTSTRAP_SERVERS"}
    return inherited | {"NAMEDROP_HOME": str(home.path), "API_KEYS": api_keys}


def namedrop(
    home: Home, *arguments: str, stdin: str = "", api_keys: str = API_KEYS
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(home, api_keys),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def processes_of(state: StackState) -> list[psutil.Process]:
    return [psutil.Process(process.pid) for process in state.processes.values() if process.pid]


def state_of(home: Home) -> StackState:
    state = running_state(home)
    assert state is not None
    return state


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """The folder of a running stack that the tests of this file share; nothing of it outlives `namedrop down`."""
    home = Home(tmp_path_factory.mktemp("up") / "home")
    up = namedrop(home, *SMALL, "--detach")
    try:
        assert up.returncode == 0, up.stderr
        processes = processes_of(state_of(home))
        assert state_of(home).gateway_url in up.stdout
        yield home
    finally:
        down = namedrop(home, "down")
    assert down.returncode == 0, down.stderr
    assert not [left for left in processes if left.is_running()]
    assert home.kafka.exists()
    assert "Nothing is running" in namedrop(home, "down").stdout


def test_a_post_goes_in_with_the_key_that_was_printed_and_with_those_of_the_environment(home: Home) -> None:
    """What `up` says is enough to use it; and API_KEYS holds here as everywhere."""
    state = state_of(home)
    for key in (state.api_key, OUR_KEY):
        answer = httpx.post(
            f"{state.gateway_url}/post/enqueue",
            json={"publication": "The Harbour Courier", "content": "Angela Merkel visited Lagos."},
            headers={"X-API-Key": key},
            trust_env=False,
        )
        assert answer.status_code == 201, answer.text


def test_the_console_tools_work_on_it(home: Home) -> None:
    """Arguments, input, output and exit status are the tool's own; only the address is filled in."""
    listed = namedrop(home, "kafka", "topics", "--list", "--exclude-internal")
    assert listed.stdout.split() == ["entities", "entities.dlq", "posts", "posts.dlq"]
    assert listed.stderr == ""
    written = namedrop(home, "kafka", "console-producer", "--topic", "posts.dlq", stdin="one\ntwo\n")
    assert written.returncode == 0, written.stderr
    read = namedrop(
        home, "kafka", "console-consumer", "--topic", "posts.dlq", "--from-beginning", "--max-messages", "2"
    )
    assert sorted(read.stdout.split()) == ["one", "two"]
    assert namedrop(home, "kafka", "topics", "--describe", "--topic", "nowhere").returncode != 0


def test_a_service_that_is_killed_is_started_again(home: Home) -> None:
    """And stack.json tells its new process id."""
    before = state_of(home).processes["saver-1"].pid
    assert before is not None
    os.kill(before, signal.SIGKILL)
    eventually(lambda: state_of(home).processes["saver-1"].pid not in (before, None))


def test_a_second_up_is_one_line(home: Home) -> None:
    """In the foreground and detached."""
    for arguments in (SMALL, [*SMALL, "--detach"]):
        second = namedrop(home, *arguments)
        assert second.returncode == 1
        assert second.stderr.count("\n") == 1
        assert "namedrop down" in second.stderr


def test_the_api_key_is_for_its_owner_only(home: Home) -> None:
    """stack.json holds it."""
    assert stat.S_IMODE(home.state.stat().st_mode) == 0o600


def test_a_port_that_is_taken_is_one_line(home: Home, tmp_path: Path) -> None:
    """It names the option, and nothing is started."""
    port = httpx.URL(state_of(home).gateway_url).port
    other = Home(tmp_path / "other")
    refused = namedrop(other, "up", f"--port={port}")
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "--port" in refused.stderr
    assert read_state(other) is None


def test_a_wrong_api_keys_is_one_line(tmp_path: Path) -> None:
    """It names the entry, and nothing is started."""
    home = Home(tmp_path / "home")
    refused = namedrop(home, *SMALL, api_keys="nonsense")
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "API_KEYS: entry 1" in refused.stderr
    assert read_state(home) is None


def test_down_cleans_up_after_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    """1. It is killed while the stack starts. 2. Down ends what it left. 3. --wipe removes the folder."""
    home = Home(tmp_path / "home")
    with subprocess.Popen([*COMMAND, *SMALL], env=environment(home), stderr=subprocess.DEVNULL) as supervisor:
        state = eventually(lambda: read_state(home))
        assert state is not None
        eventually(lambda: len(state.left_behind()) >= 2)
        supervisor.kill()
    assert namedrop(home, "kafka", "topics", "--list").returncode == 1
    down = namedrop(home, "down", "--wipe")
    assert down.returncode == 0, down.stderr
    assert not home.path.exists()
    assert not state.left_behind()
    assert "Nothing is running" in namedrop(home, "down").stdout


def test_a_killed_broker_comes_back_on_its_port_and_a_new_one_finds_its_data(tmp_path: Path) -> None:
    """1. A record is acknowledged. 2. SIGKILL, start: same address, the record is there. 3. Another broker, on other
    ports, started in the same folder: it is still there."""
    with start_kafka(tmp_path) as broker:
        address = broker.bootstrap_servers
        admin = AdminClient({"bootstrap.servers": address})
        admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result(30)
        produce(address, "kept", [b"record"])
        broker.kill()
        restart(broker)
        assert broker.bootstrap_servers == address
        assert [record.value() for record in records(address, "kept")] == [b"record"]
    with start_kafka(tmp_path) as again:
        assert [record.value() for record in records(again.bootstrap_servers, "kept")] == [b"record"]


def restart(broker: Broker) -> None:
    broker.start()
    broker.wait_ready(60)
