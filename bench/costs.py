"""What Firestore bills: writes an article of one saver, over the least that its flush windows allow; and the curve."""

import time
from functools import partial

from confluent_kafka import Message, Producer

from bench import curve
from bench.flush import Arrival, flushed
from bench.harness import Result, at_most, interleaved, ratios, result
from bench.kafka import FLUSH_SECONDS
from bench.lab import Lab, wait_until
from bench.saver import DOCUMENTS, POSTS, start
from bench.stream import Item, Shape, fitted, messages, news
from cli.kafka import silent
from services.saver.settings import SaverSettings
from tests.pipeline import Pipeline

ARTICLES_PER_SECOND = 100
SECONDS = 30.0
WINDOWS = 4
"""At least so many of each partition."""
DONE_SECONDS = 120.0
DEFAULT_AGE: float = SaverSettings.model_fields["batch_max_age_seconds"].default
AGES = (DEFAULT_AGE, 10.0)
CURVE_SECONDS = 600
BATCHES = "namedrop_saver_batches_total"
"""Commits: each writes one ledger."""


def measure(lab: Lab, rounds: int) -> list[Result]:
    shape = fitted()
    results: list[Result] = []
    for age in AGES:
        found = interleaved(
            rounds, {f"writes an article at {age:g} s, and the least": partial(writes, lab, shape, age)}
        )
        ((measured, least),) = (tuple(zip(*each, strict=True)) for each in found.values())
        results += [
            result(f"costs.writes_{age:g}s", "writes an article", measured),
            result(f"costs.over_least_{age:g}s", "times the least", ratios(measured, least), at_most(1.05)),
        ]
    points = curve.curve(shape, ARTICLES_PER_SECOND, lab.sized(CURVE_SECONDS))
    curve.show(points)
    if lab.scale >= 1:
        curve.keep(points)
    return results


def writes(lab: Lab, shape: Shape, age: float) -> tuple[float, float]:
    """Writes an article: the saver's, ledgers included, and the least for windows of this age. In real time."""
    seconds = lab.sized(max(SECONDS, WINDOWS * age))
    items = list(news(shape, ARTICLES_PER_SECOND * seconds))
    limits = {} if age == DEFAULT_AGE else {"BATCH_MAX_DOCUMENTS": "10000", "BATCH_MAX_POSTS": "10000"}
    with lab.pipeline(BATCH_MAX_AGE_SECONDS=str(age), **limits) as pipeline:
        start(pipeline)
        arrivals = stream(pipeline, items)
        wait_until(
            "all counted", lambda: pipeline.metric("saver", POSTS) >= len(items), DONE_SECONDS + age, every_seconds=1.0
        )
        written = pipeline.metric("saver", DOCUMENTS) + pipeline.metric("saver", BATCHES)
    return written / len(items), flushed(arrivals, age).writes / len(items)


def stream(pipeline: Pipeline, items: list[Item]) -> list[Arrival]:
    """Produces them into the topic entities at an even rate; returns when and where each arrived."""
    arrivals: list[Arrival] = []
    config = {"bootstrap.servers": pipeline.servers.bootstrap_servers, "partitioner": "murmur2_random", "linger.ms": 0}
    producer = Producer(config, logger=silent)

    def delivered(item: Item, _error: object, record: Message) -> None:
        arrivals.append(Arrival(time.monotonic() - began, record.partition() or 0, item))

    began = time.monotonic()
    for number, (item, (key, value)) in enumerate(zip(items, messages(items), strict=True)):
        while (early := began + number / ARTICLES_PER_SECOND - time.monotonic()) > 0:
            producer.poll(early)
        producer.produce(pipeline.topics["entities"], value, key, on_delivery=partial(delivered, item))
    assert producer.flush(FLUSH_SECONDS) == 0
    return arrivals
