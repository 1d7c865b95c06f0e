"""Documents a second of one saver, Kafka to Firestore, over a loop of bare commits."""

import os
import secrets
import subprocess
import sys
import time

from confluent_kafka import Producer

from bench.harness import Result, at_least, interleaved, ratios, result
from bench.kafka import FLUSH_SECONDS
from bench.lab import Lab, wait_until
from bench.stream import fitted, messages, news
from cli.kafka import silent
from tests.pipeline import Pipeline

ARTICLES = 2000
SECONDS = 300.0
STEADY = (0.1, 0.9)
LOOK_SECONDS = 0.25
"""Seldom: the process that is measured has to answer."""
DOCUMENTS = "namedrop_saver_documents_total"
POSTS = "namedrop_saver_posts_total"
PARTITIONS = "namedrop_saver_partitions"


def measure(lab: Lab, rounds: int) -> list[Result]:
    count = lab.sized(ARTICLES)
    records = list(messages(list(news(fitted(), count))))
    found = interleaved(
        rounds,
        {"bare commits": lambda: bare_rate(lab, count), "saver": lambda: rate(lab, records)},
    )
    bare, saver = found.values()
    return [
        result("saver.bare_commits", "documents/s", bare),
        result("saver.documents", "documents/s", saver),
        result("saver.over_bare", "of bare commits", ratios(saver, bare), at_least(0.9)),
    ]


def bare_rate(lab: Lab, count: int) -> float:
    """Documents a second of bare commits, in a process of its own."""
    command = [sys.executable, "-m", "bench.bare_commits", f"bench/{secrets.token_hex(4)}", str(count)]
    environment = os.environ | lab.servers.environment
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=SECONDS)
    return float(done.stdout)


def rate(lab: Lab, records: list[tuple[str, bytes]]) -> float:
    """Documents a second of one saver while nine tenths of the records are still to come, until one tenth is."""
    with lab.pipeline() as pipeline:
        start(pipeline)
        feed(pipeline, records)
        looks = [documents_when(pipeline, part * len(records)) for part in STEADY]
    (began, first), (ended, last) = looks
    return (last - first) / (ended - began)


def start(pipeline: Pipeline) -> None:
    """One saver that has all the partitions."""
    pipeline.start("saver")
    wait_until("12 partitions", lambda: pipeline.metric("saver", PARTITIONS) == 12, within_seconds=30)


def feed(pipeline: Pipeline, records: list[tuple[str, bytes]]) -> None:
    """Keyed records into the topic entities, where the extractor would put them."""
    config = {"bootstrap.servers": pipeline.servers.bootstrap_servers, "partitioner": "murmur2_random"}
    producer = Producer(config, logger=silent)
    for key, value in records:
        producer.produce(pipeline.topics["entities"], value, key)
    assert producer.flush(FLUSH_SECONDS) == 0


def documents_when(pipeline: Pipeline, posts: float) -> tuple[float, float]:
    """Monotonic seconds, and the documents written, as soon as so many posts are counted."""
    wait_until(f"{posts:.0f} posts", lambda: pipeline.metric("saver", POSTS) >= posts, SECONDS, LOOK_SECONDS)
    return time.monotonic(), pipeline.metric("saver", DOCUMENTS)
