"""From the first POST to the last count; the same with a slower Firestore; and how long one post takes."""

import json
import random
import statistics
import time
from dataclasses import replace

import httpx

from bench.extractor import CHARS, bare
from bench.harness import Figure, at_least, at_most, figure, in_turn, ratio
from bench.saver import commits
from bench.site import Site, wait_until
from bench.texts import texts
from shared.firestore import Places
from tests.faults.proxy import Proxy

COUNT = 1920
PUBLICATIONS = 20
ROUND_TRIP_SECONDS = 0.01
LATENCY_POSTS = 60
LOOK_SECONDS = 0.01


def measure(site: Site) -> list[Figure]:
    values = in_turn(
        site.rounds,
        {"bare": lambda: bare(1), "all": lambda: through_all(site), "slower": lambda: with_slower_firestore(site)},
    )
    latencies = sorted(latency(site))
    return [
        figure("end_to_end: from first POST to last count", values["all"], "articles/s"),
        ratio("end_to_end: over bare nlp.pipe", values["all"], values["bare"], at_least(0.85)),
        ratio("end_to_end: with 10 ms more to Firestore", values["slower"], values["all"], at_least(0.95)),
        figure("end_to_end: 201 to visible, p50", [statistics.median(latencies)], "s", at_most(1.5)),
        figure("end_to_end: 201 to visible, p99", [latencies[int(0.99 * len(latencies))]], "s", at_most(4)),
    ]


def through_all(site: Site) -> float:
    """One gateway worker, one extractor, one saver; all articles in one request."""
    lines = [
        json.dumps({"publication": f"Paper {number % PUBLICATIONS}", "content": text})
        for number, text in enumerate(texts(COUNT, CHARS))
    ]
    with site.pipeline() as pipeline:
        pipeline.start_all()
        started = time.time()
        httpx.post(
            f"{pipeline.the('gateway').url}/post/enqueue/batch",
            content="\n".join(lines).encode(),
            headers={"X-API-Key": pipeline.key},
            timeout=300,
        ).raise_for_status()
        wait_until(lambda: pipeline.metric("saver", "namedrop_saver_posts_total") == COUNT)
        ended = commits(pipeline.the("saver").log_path)[-1][0]
    return COUNT / (ended - started)


def with_slower_firestore(site: Site) -> float:
    _, _, port = site.servers.firestore_emulator_host.rpartition(":")
    with Proxy(int(port)) as proxy:
        proxy.delay_seconds = ROUND_TRIP_SECONDS / 2
        return through_all(replace(site, servers=replace(site.servers, firestore_emulator_host=proxy.host)))


def latency(site: Site) -> list[float]:
    """Seconds from each 201 until Firestore has the article, one post at a time."""
    found = []
    with site.pipeline() as pipeline:
        pipeline.start_all()
        places = Places(pipeline.firestore, pipeline.root)
        for number, text in enumerate(texts(LATENCY_POSTS, CHARS)):
            pipeline.post({"publication": f"Paper {number}", "content": text}).raise_for_status()
            accepted = time.perf_counter()
            while not places.publication(f"paper {number}").get().exists:
                time.sleep(LOOK_SECONDS)
            found.append(time.perf_counter() - accepted)
            time.sleep(random.random())  # so that no post finds the services at a moment that the last one has set
    return found
