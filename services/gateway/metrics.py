"""What the gateway measures, and how several workers' figures become one answer."""

import os
from functools import cache
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from services.gateway.refusal import Reason

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 30)

ACCEPTED = Counter("namedrop_gateway_posts_accepted_total", "Posts acknowledged by Kafka, by key name.", ["key"])
REFUSED = Counter(
    "namedrop_gateway_posts_refused_total",
    "Posts refused, by reason and key name; the name is empty where the key was wrong or missing.",
    ["reason", "key"],
)
for _reason in Reason:
    REFUSED.labels(_reason, "")  # a panel of refusals shows zero, not "no data", while there are none
CONNECTIONS = Gauge("namedrop_gateway_connections", "Open connections.", multiprocess_mode="livesum")
CONNECTIONS_ENDED = Counter(
    "namedrop_gateway_connections_ended_total",
    "Connections that a limit ended, by reason: too_slow, too_large and invalid (the headers), busy (too many).",
    ["reason"],
)
for _reason in (Reason.TOO_SLOW, Reason.TOO_LARGE, Reason.INVALID, Reason.BUSY):
    CONNECTIONS_ENDED.labels(_reason)
IN_FLIGHT = Gauge(
    "namedrop_gateway_posts_in_flight",
    "Posts being read or waiting for Kafka's acknowledgement.",
    multiprocess_mode="livesum",
)
ACK_SECONDS = Histogram(
    "namedrop_gateway_ack_seconds", "From handing a post to the producer to Kafka's acknowledgement.", buckets=SECONDS
)
REQUEST_SECONDS = Histogram(
    "namedrop_gateway_request_seconds",
    "From the request's headers to the end of the answer, by route and status.",
    ["route", "status"],
    buckets=SECONDS,
)

# labels() takes longer than the counting.
accepted_of = cache(ACCEPTED.labels)
request_seconds_of = cache(REQUEST_SECONDS.labels)

WORKERS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
"""Where this variable is set when prometheus_client is imported, figures live in files of that directory."""


def exposition() -> bytes:
    """The figures of all workers, as /metrics shows them."""
    if WORKERS_DIRECTORY not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call] # the library has no annotations here
    return generate_latest(registry)


def forget_dead_workers() -> None:
    """Drops the gauges of workers that were killed: what they had in flight is in flight no more."""
    if directory := os.environ.get(WORKERS_DIRECTORY):
        for file in Path(directory).glob("gauge_live*.db"):
            pid = int(file.stem.rpartition("_")[2])
            if not _runs(pid):
                mark_process_dead(pid)  # type: ignore[no-untyped-call]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
