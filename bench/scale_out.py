"""How much more 2, 4, 8 and 16 extractors do than one, when the model waits instead of computing."""

import json
import sys

from bench.harness import Figure, at_least, figure, ratio
from bench.site import Site, last_ms, now_ms, produce_evenly, wait_for_partitions, wait_until
from cli.service import Worker
from tests.pipeline import Pipeline

SIZES = (1, 2, 4, 8, 16)
PARTITIONS = 48
POSTS_EACH = 96
"""For each process, two in each partition for each process: all have the same to do."""


class WaitingExtractor(Worker):
    def command(self) -> list[str]:
        super().command()
        return [sys.executable, "-m", "bench.waiting_extractor"]


def measure(site: Site) -> list[Figure]:
    rates: dict[int, list[float]] = {size: [] for size in SIZES}
    for _ in range(site.rounds):
        with site.pipeline() as pipeline:
            for size in SIZES:
                grow(site, pipeline, size)
                rates[size].append(rate(pipeline, size))
    grown = [
        ratio(
            f"scale_out: {size} waiting extractors over one",
            rates[size],
            rates[1],
            at_least(15) if size == 16 else None,
        )
        for size in SIZES[1:]
    ]
    return [figure("scale_out: one waiting extractor", rates[1], "articles/s"), *grown]


def grow(site: Site, pipeline: Pipeline, size: int) -> None:
    while len(pipeline.services) < size:
        number = len(pipeline.services)
        worker = WaitingExtractor("extractor", number, site.folder / f"waiting-{number}.log", pipeline.environment)
        pipeline.services.append(worker)
        worker.start()
    wait_for_partitions(pipeline, "extractor", PARTITIONS, size)


def rate(pipeline: Pipeline, size: int) -> float:
    """From the first post produced to the last message extracted, by Kafka's timestamps."""
    posts = [json.dumps({"publication": "Bench", "content": "Nobody."}).encode()] * (POSTS_EACH * size)
    before = pipeline.metric("extractor", "namedrop_extractor_articles_total")
    started = now_ms()
    produce_evenly(pipeline, "posts", posts, PARTITIONS)
    wait_until(
        lambda: pipeline.metric("extractor", "namedrop_extractor_articles_total") == before + len(posts),
        every_seconds=2.0,
    )
    ended = last_ms(pipeline, "entities")
    return 1000 * len(posts) / (ended - started)
