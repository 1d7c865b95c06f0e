"""What the processes hold in memory, at rest and under load. Memory repeats itself: one round."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

from bench import processes
from bench.end_to_end import post
from bench.extractor import PARTITIONS, share_evenly
from bench.harness import Result, at_most, result
from bench.kafka import fill, watch
from bench.lab import Lab, every, start, wait_until
from bench.texts import articles, posts

MIB = 1024 * 1024
GIB = 1024 * MIB
ARTICLES = 1000
EXTRACTORS = 16
SECONDS = 300.0
REST_SECONDS = 3.0
LOOK_SECONDS = 0.5


def measure(lab: Lab, rounds: int) -> list[Result]:  # noqa: ARG001 (one is enough)
    return [*one_of_each(lab), *many_extractors(lab)]


def one_of_each(lab: Lab) -> list[Result]:
    """The local stack, while it counts a thousand articles that came at once."""
    count = lab.sized(ARTICLES)
    with lab.pipeline() as pipeline:
        pipeline.start_all()
        groups = processes.one_of_each(pipeline)
        with watched(groups) as (rest, peaks):
            post(pipeline, articles(count))
            counted = "namedrop_saver_posts_total"
            wait_until("all counted", lambda: pipeline.metric("saver", counted) >= count, SECONDS, LOOK_SECONDS)
    return [
        result(f"memory.{name}_{when}", "MiB", [found[name] / MIB])
        for name in groups
        for when, found in (("at_rest", rest), ("under_load", peaks))
    ]


def many_extractors(lab: Lab) -> list[Result]:
    """Sixteen, all of them reading; pages that they share count once."""
    count = lab.sized(2 * ARTICLES)
    with lab.pipeline() as pipeline:
        start([pipeline.launch("extractor") for _ in range(EXTRACTORS)])
        share_evenly(pipeline, EXTRACTORS)
        bootstrap_servers = pipeline.servers.bootstrap_servers
        extractors = {"extractors": [psutil.Process(service.pid) for service in pipeline.services]}
        with (
            watch(bootstrap_servers, pipeline.topics["entities"]) as arrivals,
            watched(extractors) as (rest, peaks),
        ):
            fill(bootstrap_servers, pipeline.topics["posts"], posts(articles(count)), PARTITIONS)
            arrivals.wait_for(count, SECONDS)
    return [
        result("memory.16_extractors_at_rest", "GiB in all", [rest["extractors"] / GIB]),
        result("memory.16_extractors_under_load", "GiB in all", [peaks["extractors"] / GIB], at_most(4.5)),
    ]


Sizes = dict[str, int]
"""Bytes by name."""


@contextmanager
def watched(groups: processes.Groups) -> Iterator[tuple[Sizes, Sizes]]:
    """What each group holds at rest, and its peaks from then on; those are complete when the `with` ends."""
    time.sleep(REST_SECONDS)
    rest, peaks = sizes(groups), dict.fromkeys(groups, 0)

    def look() -> None:
        for name, held in sizes(groups).items():
            peaks[name] = max(peaks[name], held)

    with every(LOOK_SECONDS, look):
        yield rest, peaks


def sizes(groups: processes.Groups) -> Sizes:
    return {name: sum(map(held_bytes, group)) for name, group in groups.items()}


def held_bytes(process: psutil.Process) -> int:
    """Linux: PSS, in which a page shared by several processes counts once over all of them. Elsewhere what is
    resident."""
    with suppress(AttributeError):
        return int(process.memory_full_info().pss)
    return int(process.memory_info().rss)
