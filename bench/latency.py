"""How long it takes from a post's 201 until Firestore shows its count, with little to do."""

import statistics
import time

from google.cloud.firestore_v1 import Client

from bench.lab import Lab
from bench.texts import articles
from cli.errors import CommandError
from shared.firestore import Places
from shared.names import publication_key
from tests.pipeline import Pipeline

POSTS = 100
POSTS_PER_SECOND = 4.0
SECONDS = 120.0
LOOK_SECONDS = 0.02


def latency(lab: Lab) -> tuple[float, float]:
    """Median and 99th percentile, in seconds."""
    with lab.pipeline() as pipeline:
        pipeline.start_all()
        seen = times_until_visible(pipeline, lab.sized(POSTS))
    return statistics.median(seen), statistics.quantiles(seen, n=100, method="inclusive")[98]


def times_until_visible(pipeline: Pipeline, count: int) -> list[float]:
    """Seconds, of each of `count` posts, a few a second and each of a publication of its own."""
    places = Places(pipeline.firestore, pipeline.root)
    texts = [article["content"] for article in articles(count)]
    waiting: dict[str, float] = {}
    seen: list[float] = []
    began = time.monotonic()
    while len(seen) < count:
        if time.monotonic() - began > SECONDS:
            raise CommandError(f"{len(seen)} of {count} posts became visible within {SECONDS:g} s")
        number = len(seen) + len(waiting)
        if number < count and time.monotonic() >= began + number / POSTS_PER_SECOND:
            name = f"Publication {number}"
            assert pipeline.post({"publication": name, "content": texts[number]}).status_code == 201
            waiting[places.publication(publication_key(name)).path] = time.monotonic()
        seen += [time.monotonic() - waiting.pop(path) for path in visible(pipeline.firestore, waiting)]
        time.sleep(LOOK_SECONDS)
    return seen


def visible(firestore: Client, paths: dict[str, float]) -> list[str]:
    """Which of the documents are there, in one question for all of them."""
    found = firestore.get_all([firestore.document(path) for path in paths])
    return [snapshot.reference.path for snapshot in found if snapshot.exists]
