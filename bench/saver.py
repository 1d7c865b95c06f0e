"""Documents a second of a saver, over bare commits of the same documents."""

import json
import os
import subprocess
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from bench.harness import Figure, at_least, figure, in_turn, ratio
from bench.site import Site, module, produce_keyed, wait_until
from bench.texts import news_stream

MESSAGES = 3000


def measure(site: Site) -> list[Figure]:
    values = in_turn(
        site.rounds,
        {
            "bare": lambda: bare_commits(site, "made"),
            "client": lambda: bare_commits(site, "client"),
            "saver": lambda: saver(site),
        },
    )
    return [
        figure("saver: bare commits", values["bare"], "documents/s"),
        ratio("saver: over bare commits", values["saver"], values["bare"], at_least(0.9)),
        ratio("saver: over commits of the client's own writes", values["saver"], values["client"]),
    ]


def bare_commits(site: Site, kind: str) -> float:
    with site.pipeline() as pipeline:
        command = module("bench.bare_commits", MESSAGES, kind)
        return float(subprocess.check_output(command, env={**os.environ, **pipeline.environment}, text=True))


def saver(site: Site) -> float:
    """All messages are there when it starts; from the first of its commits to the last."""
    with site.pipeline() as pipeline:
        posts = islice(news_stream(), MESSAGES)
        produce_keyed(pipeline, "entities", ((post.publication, post.model_dump_json().encode()) for post in posts))
        pipeline.start("saver")
        wait_until(lambda: pipeline.metric("saver", "namedrop_saver_posts_total") == MESSAGES)
        saved = commits(pipeline.the("saver").log_path)
    first, last = saved[0][0], saved[-1][0]
    return sum(documents for at, documents in saved if at > first) / (last - first)


def commits(log_path: Path) -> list[tuple[float, int]]:
    """When each batch was saved, in seconds since 1970, and of how many documents; as the saver's log says."""
    lines: list[dict[str, Any]] = [json.loads(line) for line in log_path.read_text().splitlines()]
    return [
        (datetime.fromisoformat(line["time"]).timestamp(), line["documents"])
        for line in lines
        if line["event"] == "batch.saved"
    ]
