"""HTTP load by `wrk`, which takes a tenth of a core for what a Python client takes a core for."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 64
SCRIPT = """
local file = io.open("{body}", "rb")
wrk.method, wrk.body = "POST", file:read("*a")
wrk.headers["X-API-Key"], wrk.headers["Content-Type"] = "{key}", "application/json"
function done(summary, latency)
  io.write(string.format('\\n{{"requests": %d, "us": %d, "p99_us": %d, "other": %d}}\\n', summary.requests,
    summary.duration, latency:percentile(99), summary.errors.status + summary.errors.timeout + summary.errors.read))
end
"""


@dataclass(frozen=True)
class Load:
    """What came back: requests a second, and the time within which 99 in a hundred were answered."""

    rate: float
    p99_seconds: float


def post(url: str, key: str, body: bytes, seconds: int, folder: Path) -> Load:
    """The same body over and over, on 64 connections. Raises RuntimeError when any answer is not 2xx."""
    if shutil.which("wrk") is None:
        raise RuntimeError("wrk is missing, which sends the requests. Debian: apt-get install wrk")
    body_path, script_path = folder / "body", folder / "post.lua"
    body_path.write_bytes(body)
    script_path.write_text(SCRIPT.format(body=body_path, key=key))
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(script_path), url]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    told = json.loads(printed.splitlines()[-1])
    if told["other"]:
        raise RuntimeError(f"{told['other']} of {told['requests']} requests to {url} failed")
    return Load(1e6 * told["requests"] / told["us"], told["p99_us"] / 1e6)
