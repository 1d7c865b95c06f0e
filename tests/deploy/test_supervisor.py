"""deploy/supervisor: the whole pipeline on one machine, with 16 extractors."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from cli.ports import free_ports
from tests.eventually import eventually, settles
from tests.pipeline import Pipeline, articles

CONFIGURATION = Path(__file__).parents[2] / "deploy/supervisor/namedrop.conf"
EXTRACTORS = 16
READY_SECONDS = 300.0
STOP_SECONDS = 90.0


class Supervisord:
    """It, and what supervisorctl says of its children."""

    def __init__(self, pipeline: Pipeline, folder: Path) -> None:
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        self._environment = pipeline.environment | {
            "NAMEDROP_RUN": str(folder),
            "EXTRACTORS": str(EXTRACTORS),
            "METRICS_PORTS": free_hundred(),
            "PORT": str(port),
        }
        self.process = subprocess.Popen(self._command("supervisord", "--nodaemon"), env=self._environment)

    def _command(self, tool: str, *arguments: str) -> list[str]:
        return [str(Path(sys.executable).with_name(tool)), "--configuration", str(CONFIGURATION), *arguments]

    def states(self) -> dict[str, str]:
        """By process, such as extractor:extractor-07."""
        done = subprocess.run(
            self._command("supervisorctl", "status"), env=self._environment, capture_output=True, text=True, check=False
        )
        return dict(line.split()[:2] for line in done.stdout.splitlines() if len(line.split()) > 1)

    def ready(self) -> bool:
        """Whether the gateway takes posts."""
        try:
            return httpx.get(f"{self.url}/health/ready", timeout=5, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def pid(self, name: str) -> int:
        """0 while it is down."""
        command = self._command("supervisorctl", "pid", name)
        return int(subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False).stdout)


def free_hundred() -> str:
    """The first digits of a hundred ports of which nobody uses one."""
    used = {connection.laddr.port // 100 for connection in psutil.net_connections() if connection.laddr}
    return str(next(hundred for hundred in range(150, 320) if hundred not in used))


@pytest.fixture
def supervised(pipeline: Pipeline, tmp_path: Path) -> Iterator[Supervisord]:
    """Stopped at the end, with whatever it started."""
    supervisord = Supervisord(pipeline, tmp_path)
    try:
        yield supervisord
    finally:
        if supervisord.process.poll() is None:
            children = psutil.Process(supervisord.process.pid).children(recursive=True)
            supervisord.process.terminate()
            for process in psutil.wait_procs([*children, psutil.Process(supervisord.process.pid)], STOP_SECONDS)[1]:
                process.kill()
        supervisord.process.wait()


def test_sixteen_extractors_under_supervisord(pipeline: Pipeline, supervised: Supervisord) -> None:
    """All of it comes up and counts exactly; one that is killed comes back; SIGTERM ends all of it cleanly."""
    names = [f"extractor:extractor-{number:02d}" for number in range(EXTRACTORS)]
    up = dict.fromkeys([*names, "gateway", "saver"], "RUNNING") | {"topics": "EXITED"}
    settles(supervised.states, up, READY_SECONDS)
    eventually(supervised.ready, READY_SECONDS)  # RUNNING says only that it has not died yet

    posts = articles(40)
    pipeline.produce_posts(posts[:-1])
    killed = supervised.pid(names[7])
    os.kill(killed, signal.SIGKILL)
    answer = httpx.post(f"{supervised.url}/post/enqueue", json=posts[-1], headers={"X-API-Key": pipeline.key})
    assert answer.status_code == 201
    pipeline.counts_become(posts, READY_SECONDS)
    eventually(lambda: supervised.pid(names[7]) not in (0, killed), READY_SECONDS)

    children = psutil.Process(supervised.process.pid).children(recursive=True)
    assert len(children) >= EXTRACTORS + 2
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.process.wait(STOP_SECONDS) == 0
    assert not [child for child in children if child.is_running()]
