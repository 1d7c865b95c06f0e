"""deploy/prometheus and deploy/grafana: Prometheus scrapes the real services, and no panel and no rule is blind."""

import json
import math
import re
import subprocess
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.deploy.prometheus import SHIPPED, Prometheus, tool
from tests.eventually import eventually, settles
from tests.pipeline import Pipeline, articles, run_pipeline
from tests.servers import Servers
from tests.unit.test_deploy import metric_names

GRAFANA = SHIPPED.parent / "grafana"
DASHBOARD = json.loads((GRAFANA / "dashboards/namedrop.json").read_text())
TARGETS = {
    f"{panel['id']} {panel['title']}: {target.get('legendFormat', '')}": target["expr"]
    for panel in DASHBOARD["panels"]
    for target in panel.get("targets", [])
}
RULES = {
    rule["alert"]: rule["expr"]
    for group in yaml.safe_load((SHIPPED / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
}
RATE_INTERVAL = "20s"
"""What Grafana makes of $__rate_interval at the least: four times the data source's timeInterval."""
READY_SECONDS = 60.0
SEEN_SECONDS = 120.0
"""A few scrapes, and rules that look back over two of them."""


@pytest.fixture(scope="module")
def loaded(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The services with posts coming in all the while, two of them dead letters, and some refused or sent twice."""
    with run_pipeline(servers, tmp_path_factory.mktemp("pipeline")) as pipeline:
        pipeline.start("gateway", "extractor", "extractor", "saver")
        done = Event()
        load = Thread(target=post_until, args=(pipeline, done))
        load.start()
        try:
            yield pipeline
        finally:
            done.set()
            load.join()


def post_until(pipeline: Pipeline, done: Event) -> None:
    """Rounds of four posts: an article, the same under the same id, and two that the gateway refuses."""
    url = f"{pipeline.the('gateway').url}/post/enqueue"
    with httpx.Client(trust_env=False, timeout=READY_SECONDS) as client:
        for number, article in enumerate(cycle(articles(40))):
            post = article | {"id": f"post-{number}"}
            wrong = [(post, "nobody's key"), (post | {"content": " "}, pipeline.key)]
            for sent, key in [(post, pipeline.key), (post, pipeline.key), *wrong]:
                client.post(url, json=sent, headers={"X-API-Key": key})
            if done.wait(0.2):
                return


@pytest.fixture(scope="module")
def prometheus(loaded: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """It has scraped each service, before and after a dead letter of each kind of worker."""
    targets: dict[str, list[str]] = {}
    for service in loaded.services:
        targets.setdefault(service.kind, []).append(service.url.removeprefix("http://"))
    started = Prometheus(tmp_path_factory.mktemp("prometheus"), targets)
    try:
        started.start()
        started.wait_ready(READY_SECONDS)
        settles(lambda: len(started.query("up == 1")), len(loaded.services), READY_SECONDS)
        loaded.produce("posts", [b"no JSON"])
        loaded.produce("entities", [b"no JSON"], key="a publication")
        yield started
    finally:
        started.stop()


def test_the_configuration_and_the_rules_are_right(prometheus: Prometheus) -> None:
    """By promtool, and by Prometheus itself, which has evaluated each rule."""
    done = subprocess.run(
        [tool("promtool"), "check", "config", str(prometheus.configuration)],
        capture_output=True,
        text=True,
        timeout=READY_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

    def health() -> dict[str, tuple[str, str]]:
        rules = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
        return {rule["name"]: (rule["health"], rule.get("lastError", "")) for rule in rules}

    settles(health, dict.fromkeys(RULES, ("ok", "")), SEEN_SECONDS)


def test_every_alarm_rings_when_it_should() -> None:
    """deploy/prometheus/alerts_test.yml: each once, and none while all is well."""
    done = subprocess.run(
        [tool("promtool"), "test", "rules", "alerts_test.yml"],
        cwd=SHIPPED,
        capture_output=True,
        text=True,
        timeout=READY_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_metric_is_scraped(prometheus: Prometheus) -> None:
    """Also those that count what has never happened: they stand at zero, so that the first time is an increase."""

    def missing() -> set[str]:
        return metric_names() - set(prometheus.get("label/__name__/values"))

    nothing: set[str] = set()
    settles(missing, nothing, SEEN_SECONDS)


@pytest.mark.parametrize("panel", TARGETS)
def test_every_panel_has_something_to_show(prometheus: Prometheus, panel: str) -> None:
    """Numbers, and no NaN alone; each {{label}} of the legend is a label of every series."""
    expression = TARGETS[panel].replace("$__rate_interval", RATE_INTERVAL)
    assert "$" not in expression
    series = eventually(
        lambda: [labels for labels, value in prometheus.query(expression) if math.isfinite(value)], SEEN_SECONDS
    )
    assert all(labels.keys() >= set(re.findall(r"{{\s*(\w+)\s*}}", panel)) for labels in series)


@pytest.mark.parametrize("alert", RULES)
def test_every_rule_has_something_to_compare(prometheus: Prometheus, alert: str) -> None:
    """With `bool` a comparison tells its outcome instead of filtering by it, so it is empty only if a side of it is."""
    told = re.sub(r"(==|>|<)", r"\1 bool", RULES[alert])
    assert told != RULES[alert]
    eventually(lambda: prometheus.query(told), SEEN_SECONDS)


def test_a_dead_letter_rings_and_nothing_else_does(prometheus: Prometheus) -> None:
    """The first one of a service at once; wrong keys and articles are the clients' affair."""
    expected = {("NamedropDeadLetters", "extractor"), ("NamedropDeadLetters", "saver")}
    settles(prometheus.firing, expected, SEEN_SECONDS)


def test_rules_tell_services_apart_by_their_jobs(prometheus: Prometheus) -> None:
    """The names of jobs in prometheus.yml are those in alerts.yml."""
    jobs = {labels["job"] for labels, _ in prometheus.query("up")}
    named = {job for rule in RULES.values() for each in re.findall(r'job=~?"([^"]+)"', rule) for job in each.split("|")}
    assert jobs == named == {"gateway", "extractor", "saver"}


def test_every_panel_asks_the_data_source_that_is_provisioned() -> None:
    """By its uid; and Grafana finds the dashboard where the provider looks."""
    provisioning = GRAFANA / "provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())["datasources"]
    assert set(uids(DASHBOARD["panels"])) == {source["uid"]}
    (scrape_interval,) = re.findall(r"scrape_interval: (\d+)s", (SHIPPED / "prometheus.yml").read_text())
    assert source["jsonData"]["timeInterval"] == f"{scrape_interval}s"
    assert f"{4 * int(scrape_interval)}s" == RATE_INTERVAL
    (provider,) = yaml.safe_load((provisioning / "dashboards/namedrop.yml").read_text())["providers"]
    mounted = f"./{GRAFANA.relative_to(GRAFANA.parents[1])}/dashboards:{provider['options']['path']}"
    assert mounted in (Path(__file__).parents[2] / "docker-compose.yml").read_text()


def test_grafana_reads_the_dashboard_as_it_is_written() -> None:
    """By Grafana's own models: a field that they do not know would be gone."""
    register_default_plugins()
    read = json.loads(JSONEncoder().encode(Dashboard.from_json(DASHBOARD)))
    assert set(leaves(DASHBOARD)) <= set(leaves(read))


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every number, text and truth in a JSON document, with the way to it."""
    match value:
        case dict():
            for name, each in value.items():
                yield from leaves(each, f"{path}.{name}")
        case list():
            for number, each in enumerate(value):
                yield from leaves(each, f"{path}[{number}]")
        case _:
            yield path, value


def uids(panels: list[dict[str, Any]]) -> Iterator[str]:
    for panel in panels:
        yield from (each["datasource"]["uid"] for each in [panel, *panel.get("targets", [])] if "datasource" in each)
