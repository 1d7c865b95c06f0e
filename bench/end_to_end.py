"""The whole pipeline on one machine: from the first POST to the last count, and from a 201 to what Firestore shows."""

import http.client
import json
import time
from collections import deque
from collections.abc import Sequence
from urllib.parse import urlsplit

from bench.delay import delayed
from bench.extractor import bare_rate
from bench.harness import Result, at_least, at_most, interleaved, ratios, result
from bench.lab import Lab, wait_until
from bench.latency import latency
from bench.texts import Article, articles
from tests.oracle import stored_counts
from tests.pipeline import Pipeline

ARTICLES = 2000
BATCH_POSTS = 100
SECONDS = 300.0
LOOK_SECONDS = 0.1
ROUND_TRIP_SECONDS = 0.010
CREATED = 201
COUNTED = "namedrop_saver_posts_total"


def measure(lab: Lab, rounds: int) -> list[Result]:
    count = lab.sized(ARTICLES)
    found = interleaved(
        rounds,
        {
            "bare nlp.pipe": lambda: bare_rate(count),
            "the pipeline": lambda: rate(lab, count, lab.servers.firestore_emulator_host),
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
    ]


def rate(lab: Lab, count: int, firestore: str) -> float:
    """Articles a second, one gateway worker, one extractor and one saver; the posts come as fast as they are taken."""
    with lab.pipeline(FIRESTORE_EMULATOR_HOST=firestore) as pipeline:
        pipeline.start_all()
        found = articles(count)
        started = time.monotonic()
        post(pipeline, found)
        wait_until("all counted", lambda: pipeline.metric("saver", COUNTED) >= count, SECONDS, LOOK_SECONDS)
        seconds = time.monotonic() - started
        counted = stored_counts(pipeline.firestore, pipeline.root)
        assert sum(number for (_, *what), number in counted.items() if what == ["articles"]) == count
    return count / seconds


def delayed_rate(lab: Lab, count: int) -> float:
    with delayed(lab.servers.firestore_emulator_host, ROUND_TRIP_SECONDS) as host:
        return rate(lab, count, host)


def post(pipeline: Pipeline, found: Sequence[Article]) -> None:
    """Over the batch route, one connection, a hundred a request; a line without its 201 is sent again, with its id."""
    address = urlsplit(pipeline.the("gateway").url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=SECONDS)
    waiting = deque(json.dumps({"id": f"bench-{number}", **article}) for number, article in enumerate(found))
    while waiting:
        lines = [waiting.popleft() for _ in range(min(BATCH_POSTS, len(waiting)))]
        connection.request("POST", "/post/enqueue/batch", "\n".join(lines).encode(), {"X-API-Key": pipeline.key})
        answers = connection.getresponse().read().splitlines()
        waiting += [
            line for line, answer in zip(lines, answers, strict=True) if json.loads(answer)["status"] != CREATED
        ]
    connection.close()
