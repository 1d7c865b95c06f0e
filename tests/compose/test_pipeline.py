"""The promise, in containers: what got a 201 at the published port is counted exactly once."""

import json
import time
from typing import Any

from tests.compose.conftest import EXTRACTORS
from tests.compose.stack import READY_SECONDS, ComposeStack
from tests.eventually import eventually, settles
from tests.pipeline import articles

POSTS_PARTITIONS = 48


def test_articles_posted_through_the_published_port_are_counted_exactly(whole: ComposeStack) -> None:
    """Per publication and per entity, equal to the same model in one process."""
    whole.post(articles(80))
    whole.everything_is_counted_once()


def test_sixteen_extractors_share_the_work(whole: ComposeStack) -> None:
    """Each is a healthy container and a member of the group, with its share of the partitions."""
    settles(lambda: whole.members("extractor"), [POSTS_PARTITIONS // EXTRACTORS] * EXTRACTORS, READY_SECONDS)
    assert len(whole.containers("extractor")) == EXTRACTORS
    services = ("gateway", "extractor", "saver", "kafka", "firestore")
    eventually(lambda: all(map(whole.healthy, services)), READY_SECONDS)


def test_scaling_to_4_and_back_under_load_changes_no_count(whole: ComposeStack) -> None:
    """Twelve leave in the middle of the work, and come back in the middle of it."""
    before = len(whole.posted)
    with whole.load():
        whole.up(extractors=4)
        assert len(whole.containers("extractor")) == 4
        whole.up(extractors=EXTRACTORS)
    assert len(whole.posted) > before
    whole.everything_is_counted_once()


def test_killed_containers_lose_and_repeat_nothing(whole: ComposeStack) -> None:
    """Extractors, the saver and the gateway, by SIGKILL and under load; `up` brings them back."""
    before = whole.sent_again
    with whole.load():
        whole.kill("extractor", 5)
        whole.kill("saver")
        whole.kill("gateway")
        whole.up(extractors=EXTRACTORS)
    assert whole.sent_again > before, "the gateway was away, so a post must have failed"
    whole.everything_is_counted_once()


def test_a_restarted_broker_loses_and_repeats_nothing(whole: ComposeStack) -> None:
    """Its volume keeps the records. An extractor whose transaction was cut through ends, and is started again."""
    before = whole.sent_again
    with whole.load():
        whole.compose("restart", "kafka")
    assert whole.sent_again > before, "the broker was away, so a post must have been refused"
    whole.everything_is_counted_once()
    settles(lambda: len(whole.members("extractor")), EXTRACTORS, READY_SECONDS)


def test_a_restarted_emulator_is_counted_up_again(whole: ComposeStack) -> None:
    """It keeps documents in memory only: the savers see that their ledgers are gone."""
    whole.compose("restart", "firestore")
    whole.everything_is_counted_once()


def test_sigterm_ends_each_service_cleanly_and_it_is_started_again(whole: ComposeStack) -> None:
    """As process 1, which gets no default handling of signals. The restart policy then does its part."""
    for service in ("gateway", "extractor", "saver"):
        before, began_at = whole.containers(service)[0], time.time()
        whole.docker("exec", before["Id"], "python", "-c", "import os; os.kill(1, 15)")

        def restarted(service: str = service, before: dict[str, Any] = before) -> bool:
            now = next((each for each in whole.containers(service) if each["Id"] == before["Id"]), before)
            return bool(now["RestartCount"] > before["RestartCount"])

        eventually(restarted, READY_SECONDS)
        assert whole.exit_codes(before["Id"], began_at) == [0]
        log = whole.docker("logs", "--since", f"{began_at:.3f}", before["Id"])
        assert '"level": "critical"' not in log
        assert "Traceback" not in log
    whole.everything_is_counted_once()


def test_the_demo_loads_the_sample_articles_and_prints_who_is_mentioned(whole: ComposeStack) -> None:
    """The profile `demo`: exit status 0 says that each article was counted once."""
    whole.compose("--profile", "demo", "build", "demo")
    out = whole.compose("--profile", "demo", "run", "--rm", "-T", "demo")
    sample = articles(10_000)
    whole.posted += sample
    assert f"{len(sample)} articles accepted, {len(sample)} counted: every one exactly once" in out
    assert len(whole.containers("extractor")) == EXTRACTORS, "what the demo depends on is left as it was"
    whole.everything_is_counted_once()


def test_console_tools_on_the_host_work_through_the_published_listener(whole: ComposeStack) -> None:
    """As `namedrop kafka`, told where by KAFKA_BOOTSTRAP_SERVERS: a line typed into the producer is counted."""
    article = articles(1)[0]
    whole.kafka_tool("console-producer", "--topic", "posts", stdin=json.dumps(article) + "\n")
    whole.posted.append(article)
    whole.everything_is_counted_once()
    assert "extractor" in whole.kafka_tool("consumer-groups", "--list").split()
