"""Articles a second of extractor processes, Kafka to Kafka, over the bare model's."""

import subprocess
import sys

import httpx

from bench.harness import Result, at_least, interleaved, ratios, result
from bench.kafka import fill, steady_rate, watch
from bench.lab import Lab, start, wait_until
from bench.texts import articles, posts
from tests.pipeline import Pipeline

ARTICLES = 2000
PARTITIONS = 48
SECONDS = 300.0


def measure(lab: Lab, rounds: int) -> list[Result]:
    count = lab.sized(ARTICLES)
    found = interleaved(
        rounds,
        {
            "bare nlp.pipe": lambda: bare_rate(count),
            "two of it": lambda: bare_rate(count, 2),
            "one extractor": lambda: rate(lab, 1, count),
            "two extractors": lambda: rate(lab, 2, count),
        },
    )
    bare, bare_two, one, two = found.values()
    return [
        result("extractor.bare_pipe", "articles/s", bare),
        result("extractor.one_process", "articles/s", one),
        result("extractor.over_bare", "of bare nlp.pipe", ratios(one, bare), at_least(0.97)),
        result("extractor.two_processes", "times one", ratios(two, one), at_least(1.9)),
        result("extractor.two_bare_pipes", "times one", ratios(bare_two, bare)),
    ]


def bare_rate(count: int, copies: int = 1) -> float:
    """Articles a second of `nlp.pipe` in a process of its own, or of several at once that each read them all."""
    command = [sys.executable, "-m", "bench.bare_pipe", str(count)]
    pipes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(copies)]
    answers = [pipe.communicate(timeout=SECONDS)[0] for pipe in pipes]
    return sum(map(float, answers))


def rate(lab: Lab, extractors: int, count: int) -> float:
    """Articles a second of so many at once, on the same texts: from posts that wait in Kafka to committed entities."""
    with lab.pipeline() as pipeline:
        start([pipeline.launch("extractor") for _ in range(extractors)])
        share_evenly(pipeline, extractors)
        return extracted_rate(pipeline, posts(articles(count)))


def extracted_rate(pipeline: Pipeline, values: list[bytes]) -> float:
    """Of whatever extractors run there, on posts that come all at once."""
    bootstrap_servers = pipeline.servers.bootstrap_servers
    with watch(bootstrap_servers, pipeline.topics["entities"]) as arrivals:
        before = len(arrivals.until_end())
        fill(bootstrap_servers, pipeline.topics["posts"], values, PARTITIONS)
        return steady_rate(arrivals.wait_for(before + len(values), SECONDS)[before:])


def share_evenly(pipeline: Pipeline, extractors: int) -> None:
    """Waits until each has its part of the partitions."""
    wanted = f"namedrop_extractor_partitions {PARTITIONS / extractors}"
    running = [service for service in pipeline.services if service.kind == "extractor"]
    wait_until(
        f"{wanted} of each extractor",
        lambda: all(wanted in httpx.get(f"{each.url}/metrics", trust_env=False).text for each in running),
        within_seconds=120,
    )
