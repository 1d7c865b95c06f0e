"""Durable posts a second: the route for one post over a handler that does nothing; the route for many over that one."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psutil

from bench.harness import Result, at_least, at_most, interleaved, ratios, result
from bench.http_load import Answers, Bodies, load, wrk
from bench.lab import Lab, every
from bench.texts import sized
from cli.service import Gateway
from tests.pipeline import READY_SECONDS, Pipeline

SIZES_KB = (3, 30)
CONNECTIONS = 64
SECONDS = 6
BODIES = 97
BATCH_POSTS = 1000
BATCH_CONNECTIONS = 4
LOOK_SECONDS = 0.1


class BareGateway(Gateway):
    """See bare_gateway.py."""

    def command(self) -> list[str]:
        super().command()
        return [sys.executable, "-m", "bench.bare_gateway"]


def measure(lab: Lab, rounds: int) -> list[Result]:
    wrk()  # missing is told now, not after the servers have come up
    with lab.pipeline() as pipeline:
        bare = BareGateway(lab.folder / "bare-gateway.log", pipeline.environment, port=0, workers=1)
        pipeline.services.append(bare)
        bare.start()
        bare.wait_ready(READY_SECONDS)
        pipeline.start("gateway")
        return [*singles(lab, pipeline, bare, rounds), *batches(lab, pipeline, rounds)]


def singles(lab: Lab, pipeline: Pipeline, bare: Gateway, rounds: int) -> list[Result]:
    """One post a request, both sizes."""
    results = []
    for size in SIZES_KB:
        bodies = written(lab.folder / f"posts-{size}.jsonl", BODIES, size)
        for each in (bare.url, url(pipeline)):  # connections to Kafka, and whatever else is made once
            load(f"{each}/post/enqueue", pipeline.key, bodies, connections=CONNECTIONS, seconds=1)
        found = interleaved(
            rounds,
            {
                f"bare handler, {size} kB": partial(post, lab, pipeline, bare.url, bodies),
                f"durable, {size} kB": partial(post, lab, pipeline, url(pipeline), bodies),
            },
        )
        nothing, durable = found.values()
        rates, bare_rates = [each.per_second for each in durable], [each.per_second for each in nothing]
        slow, bare_slow = [each.p99_seconds for each in durable], [each.p99_seconds for each in nothing]
        results += [
            result(f"gateway.bare_{size}kB", "requests/s", bare_rates),
            result(f"gateway.durable_{size}kB", "posts/s", rates),
            result(f"gateway.over_bare_{size}kB", "of the bare handler", ratios(rates, bare_rates), at_least(0.8)),
            result(f"gateway.p99_{size}kB", "ms", [1000 * each for each in slow]),
            result(f"gateway.p99_over_bare_{size}kB", "times the bare one's", ratios(slow, bare_slow), at_most(4)),
        ]
    return results


def batches(lab: Lab, pipeline: Pipeline, rounds: int) -> list[Result]:
    """Many posts a request, over one a request, at 64 connections and at a single one; and what it does to memory."""
    single = written(lab.folder / "single.jsonl", BODIES, SIZES_KB[0])
    batch = Bodies(written(lab.folder / "batch.jsonl", BATCH_POSTS, SIZES_KB[0]).path, whole=True)
    growths: list[float] = []

    def batched() -> float:
        with memory_of(pipeline.the("gateway").pid) as memory:
            rate = batch_rate(lab, pipeline, batch)
        growths.append(growth(memory))
        return rate

    found = interleaved(
        rounds,
        {
            "64 connections, one post a request": lambda: post(lab, pipeline, url(pipeline), single).per_second,
            "1 connection, one post a request": lambda: post(lab, pipeline, url(pipeline), single, 1).per_second,
            "batches": batched,
        },
    )
    many, one, batch_rates = found.values()
    return [
        result("gateway.batch", "posts/s", batch_rates),
        result("gateway.batch_over_single", "times one post a request", ratios(batch_rates, many), at_least(15)),
        result("gateway.batch_over_one_connection", "times the same, 1 connection", ratios(batch_rates, one)),
        result("gateway.batch_memory", "last half's peak over first half's", growths, at_most(1.05)),
    ]


def post(lab: Lab, pipeline: Pipeline, to: str, bodies: Bodies, connections: int = CONNECTIONS) -> Answers:
    return load(f"{to}/post/enqueue", pipeline.key, bodies, connections=connections, seconds=lab.sized(SECONDS))


def batch_rate(lab: Lab, pipeline: Pipeline, batch: Bodies) -> float:
    """Posts a second, counted by the gateway: lines are accepted while a request is still under way."""
    before = accepted(pipeline)
    answers = load(
        f"{url(pipeline)}/post/enqueue/batch",
        pipeline.key,
        batch,
        connections=BATCH_CONNECTIONS,
        seconds=lab.sized(SECONDS),
    )
    return (accepted(pipeline) - before) / answers.seconds


def accepted(pipeline: Pipeline) -> float:
    return pipeline.metric("gateway", "namedrop_gateway_posts_accepted_total", key="tests")


def url(pipeline: Pipeline) -> str:
    return pipeline.the("gateway").url


def written(path: Path, count: int, size_kb: int) -> Bodies:
    """So many posts of that size, one a line."""
    lines = [json.dumps(article, ensure_ascii=False) for article in sized(count, 1000 * size_kb)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Bodies(path)


@contextmanager
def memory_of(pid: int | None) -> Iterator[list[int]]:
    """Resident bytes of a process, looked at again and again while the `with` lasts."""
    process = psutil.Process(pid)
    seen: list[int] = []
    with every(LOOK_SECONDS, lambda: seen.append(process.memory_info().rss)):
        yield seen


def growth(memory: list[int]) -> float:
    """The peak of the second half over the first's: 1 where it is flat, however long one goes on."""
    middle = len(memory) // 2
    return max(memory[middle:]) / max(memory[:middle])
