"""Memory of the processes, at rest and under load, with 16 extractors on one machine."""

import json

import psutil

from bench.harness import Figure, at_most, figure
from bench.site import Site, produce_evenly, wait_for_partitions, wait_until
from bench.texts import texts
from tests.pipeline import Pipeline

EXTRACTORS = 16
PARTITIONS = 48
POSTS = 960
CHARS = 30_000
KINDS = ("gateway", "extractor", "saver")


def measure(site: Site) -> list[Figure]:
    with site.pipeline() as pipeline:
        pipeline.start("gateway", "saver", *["extractor"] * EXTRACTORS)
        wait_for_partitions(pipeline, "extractor", PARTITIONS, EXTRACTORS)
        rest = largest_mb(pipeline)
        most = dict(rest)
        extractors_mb = 0.0
        posts = [json.dumps({"publication": "Bench", "content": text}).encode() for text in texts(POSTS, CHARS)]
        produce_evenly(pipeline, "posts", posts, PARTITIONS)

        def done() -> bool:
            nonlocal extractors_mb
            extractors_mb = max(extractors_mb, sum(rss_mb(pipeline, "extractor")))
            most.update({kind: max(most[kind], now) for kind, now in largest_mb(pipeline).items()})
            return pipeline.metric("saver", "namedrop_saver_posts_total") == POSTS

        wait_until(done, every_seconds=2.0)
    return [
        *(figure(f"memory: {kind} at rest", [rest[kind]], "MB") for kind in KINDS),
        *(figure(f"memory: {kind} under load", [most[kind]], "MB") for kind in KINDS),
        figure("memory: 16 extractors under load", [extractors_mb / 1000], "GB", at_most(4.5)),
    ]


def largest_mb(pipeline: Pipeline) -> dict[str, float]:
    return {kind: max(rss_mb(pipeline, kind)) for kind in KINDS}


def rss_mb(pipeline: Pipeline, kind: str) -> list[float]:
    """Resident memory, shared pages counted in each."""
    pids = [service.pid for service in pipeline.services if service.kind == kind]
    return [psutil.Process(pid).memory_info().rss / 1e6 for pid in pids if pid]
