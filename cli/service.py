"""The gateway, the extractors and the savers of a local stack."""

import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from cli.ports import LOOPBACK, free_ports, is_free
from cli.process import ChildProcess

ASK_SECONDS = 2.0


class Service(ChildProcess):
    """`python -m services.<kind>`, told by environment variables what it needs to know."""

    def __init__(self, name: str, kind: str, log_path: Path, environment: Mapping[str, str], port: int = 0) -> None:
        super().__init__(name, log_path, environment)
        self.kind = kind
        self._fixed = port != 0
        self.port = port or free_ports(1)[0]

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def choose_ports(self) -> bool:
        if not self._fixed:
            (self.port,) = free_ports(1)
        return not self._fixed

    def command(self) -> list[str]:
        if not is_free(self.port):
            self.choose_ports()
        return [sys.executable, "-m", f"services.{self.kind}"]


class Gateway(Service):
    """The HTTP server, with uvicorn's workers as its children."""

    def __init__(self, log_path: Path, environment: Mapping[str, str], port: int, workers: int) -> None:
        super().__init__("gateway", "gateway", log_path, environment, port)
        self._workers = workers

    def environment(self) -> dict[str, str]:
        return super().environment() | {"HOST": LOOPBACK, "PORT": str(self.port), "WORKERS": str(self._workers)}

    def is_ready(self) -> bool:
        answer = _get(f"{self.url}/health/ready")
        return answer is not None and answer.status_code == httpx.codes.OK


class Worker(Service):
    """An extractor or a saver: no HTTP but its metrics, and one of them says whether the group has let it in."""

    def __init__(self, kind: str, number: int, log_path: Path, environment: Mapping[str, str]) -> None:
        super().__init__(f"{kind}-{number}", kind, log_path, environment)
        self._number = number

    def environment(self) -> dict[str, str]:
        ours = {"METRICS_HOST": LOOPBACK, "METRICS_PORT": str(self.port), "INSTANCE": str(self._number)}
        return super().environment() | ours

    def is_ready(self) -> bool:
        answer = _get(f"{self.url}/metrics")
        return answer is not None and f"namedrop_{self.kind}_ready 1.0" in answer.text


def _get(url: str) -> httpx.Response | None:
    try:
        return httpx.get(url, timeout=ASK_SECONDS, trust_env=False)
    except httpx.HTTPError:
        return None
