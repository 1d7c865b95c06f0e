"""The files under deploy/ and the compose files say the same as the code."""

import hashlib
import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram
from pydantic_settings import BaseSettings

from services.extractor.settings import ExtractorSettings
from services.gateway.keys import DEVELOPMENT_DIGEST
from services.gateway.settings import GatewaySettings
from services.saver.settings import SaverSettings
from tests.compose.stack import DEVELOPMENT_KEY

ROOT = Path(__file__).parents[2]
SERVICES: dict[str, type[BaseSettings]] = {
    "gateway": GatewaySettings,
    "extractor": ExtractorSettings,
    "saver": SaverSettings,
}
IN_THE_IMAGE = {"host", "port", "metrics_host", "metrics_port"}
PER_PROCESS = {"kafka", "instance"}
"""Any number of librdkafka properties; and what a container's host name and process id say by themselves."""


def metric_names() -> set[str]:
    """As Prometheus stores them."""
    names = set()
    for service in SERVICES:
        for metric in vars(import_module(f"services.{service}.metrics")).values():
            if isinstance(metric, Counter | Gauge | Histogram):
                (family,) = metric.describe()
                suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(family.type, [""])
                names |= {family.name + suffix for suffix in suffixes}
    return names


def named_in(text: str) -> Iterator[str]:
    """Metrics, also those that a regular expression over names stands for: namedrop_(a|b)_total."""
    for name in re.findall(r"namedrop_(?:[a-z_]|\([a-z_|]+\))+", text):
        choice = re.search(r"\(([a-z_|]+)\)", name)
        yield from [name.replace(choice[0], each) for each in choice[1].split("|")] if choice else [name]


@pytest.mark.parametrize(
    "file", ["prometheus/alerts.yml", "prometheus/alerts_test.yml", "grafana/dashboards/namedrop.json"]
)
def test_queries_name_metrics_that_there_are(file: str) -> None:
    """A panel or an alarm over a metric that was renamed stays silent for ever."""
    names = set(named_in((ROOT / "deploy" / file).read_text()))
    assert names
    assert names <= metric_names()


def test_the_dashboard_leaves_no_metric_out() -> None:
    """What is worth measuring is worth a look."""
    shown = set(named_in((ROOT / "deploy/grafana/dashboards/namedrop.json").read_text()))
    assert {re.sub("_(bucket|sum|count)$", "", name) for name in metric_names()} == {
        re.sub("_(bucket|sum|count)$", "", name) for name in shown
    }


def test_panels_do_not_overlap() -> None:
    """Each has an id and a place of its own in Grafana's grid of 24 columns."""
    panels = json.loads((ROOT / "deploy/grafana/dashboards/namedrop.json").read_text())["panels"]
    places = [panel["gridPos"] for panel in panels]
    cells = [(x, y) for p in places for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_every_alarm_is_rung_and_has_a_remedy() -> None:
    """By the rule tests that promtool runs; and docs/operations.md speaks of it."""
    (group,) = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"]
    rung = (ROOT / "deploy/prometheus/alerts_test.yml").read_text()
    page = (ROOT / "docs/operations.md").read_text()
    for rule in group["rules"]:
        assert f'alertname="{rule["alert"]}"' in rung
        assert f"`{rule['alert']}`" in page
        assert rule["annotations"]["remedy"]


def test_the_operations_page_speaks_of_every_metric() -> None:
    """What it says, and which alarm is on it, or that it has none."""
    page = set(named_in((ROOT / "docs/operations.md").read_text()))
    assert {re.sub("_(bucket|sum|count)$", "", name) for name in metric_names()} <= page


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_can_be_made_in_env(service: str) -> None:
    """Compose hands it to the container under its name, from a variable that .env.example shows with the default."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    environment = compose["services"][service]["environment"]
    example = (ROOT / ".env.example").read_text()
    fields = SERVICES[service].model_fields
    for name in fields.keys() - IN_THE_IMAGE - PER_PROCESS:
        variable = re.fullmatch(r"\$\{(\w+):-.*\}", environment[name.upper()])
        assert variable, f"{name} is not taken from .env"
        default = fields[name].get_default()
        shown = re.findall(rf"^# {variable[1]}=(\S*)", example, re.MULTILINE)
        assert shown, f"{variable[1]} is not in .env.example"
        if isinstance(default, int | float) and not isinstance(default, bool):
            assert float(shown[0]) == default
        elif isinstance(default, str):
            assert shown[0] == default


def test_the_example_shows_what_the_compose_files_take_and_nothing_else() -> None:
    """But for librdkafka's properties and Google's own variables: all of .env goes to the services in the cloud."""
    files = "".join((ROOT / name).read_text() for name in ("docker-compose.yml", "docker-compose.cloud.yml"))
    shown = set(re.findall(r"^# ([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    others = {name for name in shown if name.startswith(("KAFKA_", "GOOGLE_"))}
    taken = set(re.findall(r"\$\{(\w+)", files))
    assert taken <= shown
    assert shown - others <= taken


def test_the_development_key_is_the_one_that_the_gateway_warns_of() -> None:
    """Its digest stands in the compose file, and the key itself only in the README."""
    assert hashlib.sha256(DEVELOPMENT_KEY.encode()).hexdigest() == DEVELOPMENT_DIGEST
    assert f"${{API_KEYS:-development:{DEVELOPMENT_DIGEST}}}" in (ROOT / "docker-compose.yml").read_text()
