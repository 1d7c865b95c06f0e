"""From exec to work done: the extractor's first message, the gateway's first ready."""

import json
import time

from bench.harness import Figure, at_most, figure, in_turn
from bench.site import Site, last_ms, now_ms
from tests.eventually import eventually


def measure(site: Site) -> list[Figure]:
    values = in_turn(site.rounds, {"extractor": lambda: extractor(site), "gateway": lambda: gateway(site)})
    return [
        figure("startup: extractor to its first message", values["extractor"], "s", at_most(4)),
        figure("startup: gateway to ready", values["gateway"], "s", at_most(2)),
    ]


def extractor(site: Site) -> float:
    """A post is waiting for it."""
    with site.pipeline() as pipeline:
        pipeline.produce("posts", [json.dumps({"publication": "Bench", "content": "Nobody was there."}).encode()])
        started = now_ms()
        pipeline.start("extractor")
        eventually(lambda: pipeline.metric("extractor", "namedrop_extractor_articles_total"))
        return (last_ms(pipeline, "entities") - started) / 1000


def gateway(site: Site) -> float:
    with site.pipeline() as pipeline:
        started = time.perf_counter()
        pipeline.start("gateway")
        return time.perf_counter() - started
