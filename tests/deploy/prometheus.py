"""A real Prometheus with the configuration that ships: only the addresses are this machine's."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from cli.ports import LOOPBACK, free_ports
from cli.process import ChildProcess

SHIPPED = Path(__file__).parents[2] / "deploy/prometheus"
ASK_SECONDS = 5.0

Sample = tuple[dict[str, str], float]
"""A series' labels and its value."""


def tool(name: str) -> str:
    """The path of `prometheus` or `promtool`, which come together. Fails the test where there is none."""
    named = os.environ.get("PROMETHEUS")
    found = shutil.which(str(Path(named).with_name(name)) if named else name)
    if found is None:
        pytest.fail(
            f"No {name} here: `apt-get install prometheus`, or name one with PROMETHEUS=/path/to/prometheus",
            pytrace=False,
        )
    return found


def configuration(targets: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """deploy/prometheus/prometheus.yml, where each job's `targets` stand in for what Docker's DNS would say."""
    shipped: dict[str, Any] = yaml.safe_load((SHIPPED / "prometheus.yml").read_text())
    jobs = [
        {name: value for name, value in job.items() if name != "dns_sd_configs"}
        | {"static_configs": [{"targets": list(targets[job["job_name"]])}]}
        for job in shipped["scrape_configs"]
    ]
    rules = [str(SHIPPED / Path(file).name) for file in shipped["rule_files"]]
    return shipped | {"rule_files": rules, "scrape_configs": jobs}


class Prometheus(ChildProcess):
    """Scrapes, evaluates the rules, answers queries."""

    def __init__(self, folder: Path, targets: Mapping[str, Sequence[str]]) -> None:
        super().__init__("prometheus", folder / "prometheus.log", os.environ)
        self.configuration = folder / "prometheus.yml"
        self.configuration.write_text(yaml.safe_dump(configuration(targets)))
        self._data = folder / "data"
        self._path = tool("prometheus")
        self.choose_ports()

    def choose_ports(self) -> bool:
        (port,) = free_ports(1)
        self._address = f"{LOOPBACK}:{port}"
        return True

    def command(self) -> list[str]:
        return [
            self._path,
            f"--config.file={self.configuration}",
            f"--storage.tsdb.path={self._data}",
            f"--web.listen-address={self._address}",
        ]

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"http://{self._address}/-/ready", timeout=ASK_SECONDS, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def get(self, path: str, **query: str) -> Any:
        """`data` of an answer of its API; what is wrong with a query fails the test."""
        url = f"http://{self._address}/api/v1/{path}"
        answer = httpx.get(url, params=query, timeout=ASK_SECONDS, trust_env=False).json()
        assert answer["status"] == "success", f"{query}: {answer['error']}"
        return answer["data"]

    def query(self, expression: str) -> list[Sample]:
        """What it is now."""
        return [(each["metric"], float(each["value"][1])) for each in self.get("query", query=expression)["result"]]

    def firing(self) -> set[tuple[str, str]]:
        """Alarms that ring, each with the job that it speaks of."""
        alerts = self.get("alerts")["alerts"]
        return {
            (each["labels"]["alertname"], each["labels"].get("job", "")) for each in alerts if each["state"] == "firing"
        }
