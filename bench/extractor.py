"""Articles a second of extractors, Kafka to Kafka with transactions, over bare `nlp.pipe` on the same texts."""

import json

from bench.harness import Figure, at_least, figure, in_turn, ratio
from bench.site import Site, last_ms, module, now_ms, outputs, produce_evenly, wait_for_partitions, wait_until
from bench.texts import texts

COUNT = 1920
"""Forty for each of the 48 partitions."""
CHARS = 3000
PARTITIONS = 48


def measure(site: Site) -> list[Figure]:
    values = in_turn(
        site.rounds,
        {
            "bare": lambda: bare(1),
            "one": lambda: kafka_to_kafka(site, 1),
            "bare two": lambda: bare(2),
            "two": lambda: kafka_to_kafka(site, 2),
        },
    )
    return [
        figure("extractor: bare nlp.pipe", values["bare"], "articles/s"),
        ratio("extractor: one over bare nlp.pipe", values["one"], values["bare"], at_least(0.97)),
        ratio("extractor: two over one", values["two"], values["one"], at_least(1.9)),
        ratio("extractor: two bare nlp.pipe over one", values["bare two"], values["bare"]),
    ]


def bare(processes: int) -> float:
    """Of all together."""
    commands = [module("bench.bare_pipe", COUNT // processes, CHARS)] * processes
    return sum(map(float, outputs(commands)))


def kafka_to_kafka(site: Site, processes: int) -> float:
    """From the first post produced to the last message extracted, by Kafka's timestamps."""
    posts = [json.dumps({"publication": "Bench", "content": text}).encode() for text in texts(COUNT, CHARS)]
    with site.pipeline() as pipeline:
        pipeline.start(*["extractor"] * processes)
        wait_for_partitions(pipeline, "extractor", PARTITIONS, processes)
        started = now_ms()
        produce_evenly(pipeline, "posts", posts, PARTITIONS)
        wait_until(lambda: pipeline.metric("extractor", "namedrop_extractor_articles_total") == COUNT)
        ended = last_ms(pipeline, "entities")
    return 1000 * COUNT / (ended - started)
