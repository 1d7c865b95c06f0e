"""HTTP load from wrk: a thread of C, so that the client does not take the core that the gateway is measured on."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cli.errors import CommandError

SCRIPT = Path(__file__).parent / "post.lua"
MORE_SECONDS = 30.0


@dataclass(frozen=True)
class Answers:
    """What wrk saw."""

    requests: int
    seconds: float
    p50_seconds: float
    p99_seconds: float
    failed: int

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    def __str__(self) -> str:
        return f"{self.per_second:,.0f}/s, p50 {1000 * self.p50_seconds:.1f} ms, p99 {1000 * self.p99_seconds:.1f} ms"


@dataclass(frozen=True)
class Bodies:
    """A file with a body a line, sent in turn; or, `whole`, one that is a single body."""

    path: Path
    whole: bool = False

    @property
    def environment(self) -> dict[str, str]:
        return {"BODIES": str(self.path)} | ({"WHOLE": "1"} if self.whole else {})


def load(url: str, key: str, bodies: Bodies, *, connections: int, seconds: int) -> Answers:
    """POSTs to `url` for so long, on each connection one after the other.

    Raises CommandError unless every request was answered with success.
    """
    environment = os.environ | {"API_KEY": key} | bodies.environment
    command = [wrk(), "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"]
    command += ["--timeout", "30s", "--script", str(SCRIPT), url]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=seconds + MORE_SECONDS
    )
    if done.returncode:
        raise CommandError(f"wrk failed on {url}: {(done.stdout + done.stderr).strip()}")
    answers = Answers(**json.loads(done.stdout.splitlines()[-1]))
    if answers.failed or not answers.requests:
        raise CommandError(f"{answers.failed} of {answers.requests} requests to {url} failed. {done.stdout}")
    return answers


def wrk() -> str:
    path = shutil.which("wrk")
    if path is None:
        raise CommandError(
            "wrk, the HTTP load generator, is not here. Debian: apt-get install wrk. macOS: brew install wrk"
        )
    return path
