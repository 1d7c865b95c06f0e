"""The profile `observability`: Prometheus finds every container, and its rules work."""

import re

import pytest

from tests.compose.conftest import EXTRACTORS
from tests.compose.stack import READY_SECONDS, ComposeStack
from tests.eventually import eventually, settles

PROMTOOL = ("exec", "-T", "prometheus", "promtool")


@pytest.fixture
def watched(whole: ComposeStack) -> ComposeStack:
    """With Prometheus. Not Grafana: that is a picture of what Prometheus knows."""
    whole.compose("--profile", "observability", "up", "--detach", "prometheus")
    eventually(lambda: whole.healthy("prometheus"), READY_SECONDS)
    return whole


def ask(stack: ComposeStack, query: str) -> dict[str, float]:
    """The answers of a query, by the label `job`."""
    answer = stack.compose(*PROMTOOL, "query", "instant", "http://127.0.0.1:9090", query)
    return {job: float(value) for job, value in re.findall(r'\{job="(\w+)"\} => (\S+) @', answer)}


def test_prometheus_finds_every_container(watched: ComposeStack) -> None:
    """All 16 extractors of them, by Docker's DNS."""
    settles(
        lambda: ask(watched, "count by (job) (up == 1)"),
        {"gateway": 1.0, "extractor": float(EXTRACTORS), "saver": 1.0},
        READY_SECONDS,
    )
    settles(
        lambda: ask(watched, "sum by (job) (namedrop_extractor_ready)"), {"extractor": float(EXTRACTORS)}, READY_SECONDS
    )


@pytest.mark.parametrize("command", [("check", "config", "prometheus.yml"), ("test", "rules", "alerts_test.yml")])
def test_configuration_and_alarms_are_right(watched: ComposeStack, command: tuple[str, str, str]) -> None:
    """By promtool; the rule tests ring each alarm once."""
    *verb, file = command
    assert "SUCCESS" in watched.compose(*PROMTOOL, *verb, f"/etc/prometheus/{file}")
