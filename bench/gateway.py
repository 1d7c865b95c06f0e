"""Durable posts a second, over the same app's with a handler that does nothing; and many posts in one request."""

import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import psutil

from bench import wrk
from bench.gateway_with_nothing import NOTHING
from bench.harness import Figure, at_least, at_most, figure, in_turn, ratio
from bench.site import Site
from bench.texts import texts
from cli.service import Gateway
from tests.pipeline import READY_SECONDS, Pipeline

SECONDS = 5
WARM_UP_SECONDS = 2
BATCH_LINES = 2000
BATCHES = 12
BATCH_CLIENTS = 2


class GatewayWithNothing(Gateway):
    """One worker, so the process is the worker."""

    def command(self) -> list[str]:
        super().command()  # chooses another port when this one is taken
        return [sys.executable, "-m", "bench.gateway_with_nothing"]


def measure(site: Site) -> list[Figure]:
    figures: list[Figure] = []
    with gateway(site) as (pipeline, service):
        for size, chars in (("3 kB", 3_000), ("30 kB", 30_000)):
            figures += single_posts(site, pipeline, service, size, chars)
        figures += batches(site, pipeline, service)
    return figures


@contextmanager
def gateway(site: Site) -> Iterator[tuple[Pipeline, Gateway]]:
    with site.pipeline() as pipeline:
        service = GatewayWithNothing(site.folder / "gateway.log", pipeline.environment, port=0, workers=1)
        service.start()
        try:
            service.wait_ready(READY_SECONDS)
            yield pipeline, service
        finally:
            service.stop()


def body(chars: int) -> bytes:
    return json.dumps({"publication": "Bench", "content": texts(1, chars)[0]}).encode()


def single_posts(site: Site, pipeline: Pipeline, service: Gateway, size: str, chars: int) -> list[Figure]:
    loads: dict[str, list[wrk.Load]] = {"post": [], "nothing": []}
    paths = {"post": "/post/enqueue", "nothing": NOTHING}

    def rate(kind: str, seconds: int = SECONDS) -> float:
        load = wrk.post(f"{service.url}{paths[kind]}", pipeline.key, body(chars), seconds, site.folder)
        loads[kind].append(load)
        return load.rate

    for kind in paths:
        rate(kind, WARM_UP_SECONDS)
        loads[kind].clear()
    rates = in_turn(site.rounds, {"nothing": lambda: rate("nothing"), "post": lambda: rate("post")})
    p99 = {kind: [load.p99_seconds for load in loads[kind]] for kind in paths}
    return [
        figure(f"gateway: posts of {size}", rates["post"], "posts/s"),
        ratio(f"gateway: posts of {size} over nothing", rates["post"], rates["nothing"], at_least(0.8)),
        ratio(f"gateway: p99 of {size} over nothing", p99["post"], p99["nothing"], at_most(4)),
    ]


def batches(site: Site, pipeline: Pipeline, service: Gateway) -> list[Figure]:
    lines = (body(3_000) + b"\n") * BATCH_LINES
    before = rss_mb(service)
    rates = in_turn(
        site.rounds,
        {
            "single": lambda: (
                wrk.post(f"{service.url}/post/enqueue", pipeline.key, body(3_000), SECONDS, site.folder).rate
            ),
            "batch": lambda: batch_rate(pipeline, service, lines),
        },
    )
    return [
        ratio("gateway: posts in batches over single ones", rates["batch"], rates["single"], at_least(15)),
        figure("gateway: memory after the batches over before", [rss_mb(service) / before], "ratio", at_most(1.2)),
    ]


def batch_rate(pipeline: Pipeline, service: Gateway, lines: bytes) -> float:
    def send(_number: int) -> None:
        headers = {"X-API-Key": pipeline.key, "Content-Type": "application/x-ndjson"}
        answer = httpx.post(f"{service.url}/post/enqueue/batch", content=lines, headers=headers, timeout=120)
        if answer.text.count('"status":201') != BATCH_LINES and answer.text.count('"status": 201') != BATCH_LINES:
            raise RuntimeError(f"Not every line of a batch was taken: {answer.text[:300]}")

    started = time.perf_counter()
    with ThreadPoolExecutor(BATCH_CLIENTS) as clients:
        list(clients.map(send, range(BATCHES)))
    return BATCHES * BATCH_LINES / (time.perf_counter() - started)


def rss_mb(service: Gateway) -> float:
    assert service.pid
    return float(psutil.Process(service.pid).memory_info().rss) / 1e6
