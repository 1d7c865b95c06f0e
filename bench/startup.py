"""From exec to the first thing that a process does for anybody."""

import socket
import time

from bench.harness import Result, at_most, interleaved, result
from bench.kafka import fill, watch
from bench.lab import Lab, wait_until
from bench.texts import articles, posts
from cli.ports import LOOPBACK

SECONDS = 60.0
LOOK_SECONDS = 0.01
WAITING_POSTS = 48
CREATED = 201


def measure(lab: Lab, rounds: int) -> list[Result]:
    found = interleaved(rounds, {"extractor": lambda: extractor_seconds(lab), "gateway": lambda: gateway_seconds(lab)})
    return [
        result("startup.extractor", "s to the first message", found["extractor"], at_most(4)),
        result("startup.gateway", "s to the first 201", found["gateway"], at_most(2)),
    ]


def extractor_seconds(lab: Lab) -> float:
    """Until the first committed message on the topic entities: the model is loaded, the group joined, a batch done.

    A post waits in each partition.
    """
    with lab.pipeline() as pipeline:
        bootstrap_servers = pipeline.servers.bootstrap_servers
        fill(bootstrap_servers, pipeline.topics["posts"], posts(articles(WAITING_POSTS)), WAITING_POSTS)
        with watch(bootstrap_servers, pipeline.topics["entities"]) as arrivals:
            started = time.monotonic()
            pipeline.launch("extractor")
            return arrivals.wait_for(1, SECONDS)[0] - started


def gateway_seconds(lab: Lab) -> float:
    """Until the first post got its 201; the port is tried from the start on, which costs next to nothing."""
    (article,) = articles(1)
    with lab.pipeline() as pipeline:
        started = time.monotonic()
        gateway = pipeline.launch("gateway")
        wait_until("the gateway's port", lambda: listens(gateway.port), SECONDS, LOOK_SECONDS)
        wait_until("the first 201", lambda: pipeline.post(article).status_code == CREATED, SECONDS, LOOK_SECONDS)
        return time.monotonic() - started


def listens(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), SECONDS).close()
    except ConnectionRefusedError:
        return False
    return True
