"""The whole pipeline on one machine: from the first POST to the last count, and from a 201 to what Firestore shows."""

import http.client
import json
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import uuid4

from bench.delay import delayed
from bench.extractor import bare_rate
from bench.harness import Result, at_least, at_most, interleaved, ratios, result
from bench.lab import Lab, wait_until
from bench.latency import latency
from bench.processes import cpu_seconds, one_of_each
from bench.texts import Article, articles
from tests.oracle import stored_counts
from tests.pipeline import Pipeline

ARTICLES = 6000
WARM_UP = 1500
"""Articles before the clock starts: Java compiles what it does often. The bare pipe reads some too."""
BATCH_POSTS = 100
SECONDS = 300.0
LOOK_SECONDS = 0.25
ROUND_TRIP_SECONDS = 0.010
CREATED = 201
COUNTED = "namedrop_saver_posts_total"


@dataclass(frozen=True)
class Run:
    """One passage of the articles through the pipeline."""

    per_second: float
    cpu_ms: dict[str, float]
    """Of each process, an article."""


def measure(lab: Lab, rounds: int) -> list[Result]:
    count = lab.sized(ARTICLES)
    runs: list[Run] = []

    def whole_rate() -> float:
        runs.append(run(lab, count, lab.servers.firestore_emulator_host))
        return runs[-1].per_second

    found = interleaved(
        rounds,
        {
            "bare nlp.pipe": lambda: bare_rate(count),
            "the pipeline": whole_rate,
            "with Firestore 10 ms away": lambda: delayed_rate(lab, count),
        },
    )
    bare, whole, late = found.values()
    latencies = interleaved(rounds, {"p50 and p99 from 201 to Firestore": lambda: latency(lab)})
    ((p50s, p99s),) = (tuple(zip(*each, strict=True)) for each in latencies.values())
    return [
        result("end_to_end.bare_pipe", "articles/s", bare),
        result("end_to_end.articles", "articles/s", whole),
        result("end_to_end.over_bare", "of bare nlp.pipe", ratios(whole, bare), at_least(0.85)),
        result("end_to_end.firestore_10ms_away", "of the rate without", ratios(late, whole), at_least(0.95)),
        result("end_to_end.visible_p50", "s", p50s, at_most(1.5)),
        result("end_to_end.visible_p99", "s", p99s, at_most(4)),
        *(
            result(f"end_to_end.cpu_{name}", "ms an article", [each.cpu_ms[name] for each in runs])
            for name in runs[0].cpu_ms
        ),
    ]


def run(lab: Lab, count: int, firestore: str) -> Run:
    """One gateway worker, one extractor and one saver; the posts come as fast as they are taken."""
    with lab.pipeline(FIRESTORE_EMULATOR_HOST=firestore) as pipeline:
        pipeline.start_all()
        found = articles(WARM_UP + count)
        pass_through(pipeline, found[:WARM_UP])
        groups = one_of_each(pipeline)
        before, started = cpu_seconds(groups), time.monotonic()
        pass_through(pipeline, found[WARM_UP:])
        seconds = time.monotonic() - started
        used = cpu_seconds(groups)
        counted = stored_counts(pipeline.firestore, pipeline.root)
        assert sum(number for (_, *what), number in counted.items() if what == ["articles"]) == len(found)
    return Run(count / seconds, {name: 1000 * (used[name] - before[name]) / count for name in groups})


def pass_through(pipeline: Pipeline, found: Sequence[Article]) -> None:
    """Posts them, and returns when as many more are counted as these."""
    wanted = pipeline.metric("saver", COUNTED) + len(found)
    post(pipeline, found)
    wait_until("all counted", lambda: pipeline.metric("saver", COUNTED) >= wanted, SECONDS, LOOK_SECONDS)


def delayed_rate(lab: Lab, count: int) -> float:
    with delayed(lab.servers.firestore_emulator_host, ROUND_TRIP_SECONDS) as host:
        return run(lab, count, host).per_second


def post(pipeline: Pipeline, found: Sequence[Article]) -> None:
    """Over the batch route, one connection, a hundred a request; a line without its 201 is sent again, with its id."""
    address = urlsplit(pipeline.the("gateway").url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=SECONDS)
    waiting = deque(json.dumps({"id": str(uuid4()), **article}) for article in found)
    while waiting:
        lines = [waiting.popleft() for _ in range(min(BATCH_POSTS, len(waiting)))]
        connection.request("POST", "/post/enqueue/batch", "\n".join(lines).encode(), {"X-API-Key": pipeline.key})
        answers = connection.getresponse().read().splitlines()
        waiting += [
            line for line, answer in zip(lines, answers, strict=True) if json.loads(answer)["status"] != CREATED
        ]
    connection.close()
