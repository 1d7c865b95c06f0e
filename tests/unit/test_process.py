"""Child processes: tiny Python programs in the place of servers."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import psutil
import pytest

from cli.errors import CommandError, Interrupted
from cli.ports import LOOPBACK, free_ports
from cli.process import ChildProcess
from tests.eventually import eventually

LISTEN = """
import socket, sys, time
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening", flush=True)
while True:
    server.accept()
"""
WITH_A_CHILD = """
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid, flush=True)
time.sleep(600)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("listening", flush=True)
time.sleep(600)
"""
SUPERVISOR = """
import os, sys
from pathlib import Path
from tests.unit.test_process import LISTEN, Program
program = Program(LISTEN, Path(sys.argv[1]))
program.start()
program.wait_ready(10)
print(program.pid, flush=True)
sys.stdin.read()
"""


class Program(ChildProcess):
    """Ready when it has said a whole line, other than a complaint."""

    grace_seconds = 0.2

    def __init__(self, source: str, folder: Path, port: int = 0) -> None:
        super().__init__("program", folder / "program.log", os.environ)
        self._source = source
        self.port = port or free_ports(1)[0]

    def command(self) -> list[str]:
        return [sys.executable, "-c", self._source, str(self.port)]

    def is_ready(self) -> bool:
        lines = self.log_path.read_text().splitlines(keepends=True)
        return bool(lines) and lines[-1].endswith("\n") and "Error" not in lines[-1]

    def choose_ports(self) -> bool:
        (self.port,) = free_ports(1)
        return True


@contextmanager
def started(source: str, folder: Path, port: int = 0) -> Iterator[Program]:
    program = Program(source, folder, port)
    try:
        program.start()
        yield program
    finally:
        program.stop()


def test_one_that_dies_before_it_is_ready_is_reported_with_its_last_words(tmp_path: Path) -> None:
    """The message has the exit status, the log file and what the program said."""
    complains = "import sys; sys.exit('Error: no licence')"
    with started(complains, tmp_path) as program, pytest.raises(CommandError) as caught:
        program.wait_ready(10)
    for part in ("program ended with status 1", str(program.log_path), "no licence"):
        assert part in str(caught.value)


def test_one_that_is_never_ready_is_given_up_in_time(tmp_path: Path) -> None:
    """The message names the seconds, and says that there was no output."""
    with (
        started("import time; time.sleep(600)", tmp_path) as program,
        pytest.raises(CommandError, match=r"not ready within 0.3 s. It wrote nothing"),
    ):
        program.wait_ready(0.3)


def test_waiting_ends_when_it_is_interrupted(tmp_path: Path) -> None:
    """Ctrl-C while a server starts need not wait for its deadline."""
    interrupted = Event()
    interrupted.set()
    with started("import time; time.sleep(600)", tmp_path) as program, pytest.raises(Interrupted):
        program.wait_ready(600, interrupted)


def test_a_port_that_is_taken_before_it_is_bound_is_exchanged(tmp_path: Path) -> None:
    """1. Somebody has the port that was chosen. 2. The program fails to bind it. 3. It is started with another."""
    with socket.create_server((LOOPBACK, 0)) as stranger:
        taken = stranger.getsockname()[1]
        with started(LISTEN, tmp_path, port=taken) as program:
            eventually(lambda: not program.running)
            program.wait_ready(20)
            assert program.port != taken
            socket.create_connection((LOOPBACK, program.port), timeout=5).close()


def test_whatever_it_started_ends_with_it(tmp_path: Path) -> None:
    """A gateway that is killed must not leave workers behind that hold its port."""
    with started(WITH_A_CHILD, tmp_path) as program:
        program.wait_ready(20)
        child = psutil.Process(int(program.log_path.read_text()))
        os.kill(program.pid or 0, 9)
        eventually(lambda: not program.running)
    assert program.ending == "was ended by SIGKILL"
    eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_one_that_ignores_sigterm_is_killed_after_its_grace(tmp_path: Path) -> None:
    """Stopping always comes to an end."""
    with started(STUBBORN, tmp_path) as program:
        program.wait_ready(20)
        program.stop()
        assert not program.running
        assert program.ending == "was ended by SIGKILL"


def test_a_restart_begins_no_new_log_and_a_new_run_keeps_the_last_one(tmp_path: Path) -> None:
    """What a crashed server said must still be there when it has been started again."""
    with started(LISTEN, tmp_path) as program:
        program.wait_ready(20)
        program.kill()
        program.start()
        eventually(lambda: program.log_path.read_text().count("listening") == 2)
    with started(LISTEN, tmp_path) as program:
        program.wait_ready(20)
        assert program.log_path.read_text().count("listening") == 1
        assert program.log_path.with_name("program.log.1").read_text().count("listening") == 2


def test_it_dies_with_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    """SIGKILL gives nobody time to clean up, so the kernel does it: Linux' does."""
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with supervisor:
        assert supervisor.stdout is not None
        program = psutil.Process(int(supervisor.stdout.readline()))
        supervisor.kill()
    eventually(lambda: not program.is_running())


def test_starting_it_does_not_fork_us(tmp_path: Path) -> None:
    """The threads of a gRPC client in us do not survive a fork: now and then they abort the child."""
    forks: list[None] = []
    os.register_at_fork(before=lambda: forks.append(None))
    with started(LISTEN, tmp_path) as program:
        program.wait_ready(10)
    assert not forks
