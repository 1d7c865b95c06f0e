"""A long, even load on the whole pipeline, and what it does to memory and lag: `python -m bench.soak --help`."""

import random
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import psutil
import typer
from confluent_kafka import IsolationLevel

from tests.faults.load import PUBLICATIONS
from tests.faults.stack import FaultyStack, start_faulty_stack, uvicorn_workers

ARTICLES = 20_000
"""All different, with words that no model has seen: what is kept of each text adds up."""
NAMES = 300
"""Few enough for the emulator, which keeps its documents in memory, to stop growing."""
SYLLABLES = ["ka", "ri", "mo", "ten", "lu", "sha", "vel", "dor", "an", "ti", "bo", "gre", "nis", "al", "por"]
LOOK_SECONDS = 30.0
MIB = 1024 * 1024


def soak(
    minutes: Annotated[float, typer.Option(help="How long, the warm-up not counted.")] = 60.0,
    rate: Annotated[float, typer.Option(help="Posts a second.")] = 50.0,
    warm_up: Annotated[float, typer.Option(help="Minutes before memory is looked at for the first time.")] = 3.0,
) -> None:
    """Posts at an even rate; reports posts, lag, memory of every process and dead letters; checks every count."""
    with TemporaryDirectory(prefix="namedrop-soak-") as folder, start_faulty_stack(Path(folder)) as stack:
        stack.load.rate = rate
        stack.load.articles = articles(random.Random(1), ARTICLES)
        stack.load.start()
        stack.run_for(60 * warm_up)
        before, at_first = memory_bytes(stack), len(stack.load.accepted)
        lags = []
        started = time.monotonic()
        psutil.cpu_percent()  # of the time since the call before
        while (left := 60 * minutes - (time.monotonic() - started)) > 0:
            stack.run_for(min(LOOK_SECONDS, left))
            lags.append(lag(stack))
            say(f"{len(stack.load.accepted)} posts, lag {lags[-1]}")
        after, posts, busy = memory_bytes(stack), len(stack.load.accepted) - at_first, psutil.cpu_percent()
        stack.drain()
        stack.counts_become_exact()
        say(f"{posts} posts in {minutes:g} min, all counted exactly; refused: {dict(stack.load.refusals) or 'none'}")
        say(f"lag: {min(lags)} to {max(lags)} records, {lags[-1]} at the end")
        say(f"processors: {busy:.0f} % busy, by whatever ran")
        for topic in ("posts_dlq", "entities_dlq"):
            say(f"{topic}: {len(stack.pipeline.records(topic))} records")
        for name, start in before.items():
            end = after.get(name, 0)
            say(f"{name:>12}: {start / MIB:6.0f} MiB -> {end / MIB:6.0f} MiB ({100 * (end - start) / start:+.1f} %)")


def articles(randomness: random.Random, count: int) -> list[dict[str, str]]:
    """Short news of the same few hundred people and places, each with some words that nobody has heard of."""

    def word() -> str:
        return "".join(randomness.choices(SYLLABLES, k=randomness.randint(2, 5)))

    names = [word().title() for _ in range(NAMES)]
    found = []
    for number in range(count):
        person, town, company, goods = *randomness.sample(names, 3), f"{word()} {word()} and {word()}"
        content = f"Maria {person} of {company} Shipping left {town} with {goods}. {person} said that {town} was cold."
        found.append({"publication": PUBLICATIONS[number % len(PUBLICATIONS)], "content": content})
    return found


def memory_bytes(stack: FaultyStack) -> dict[str, int]:
    """Resident memory by process."""
    processes = {
        each.name: psutil.Process(each.pid) for each in (stack.broker, stack.emulator, *stack.services) if each.pid
    }
    first = stack.gateways[0]
    processes |= {f"gateway-1.{number}": worker for number, worker in enumerate(uvicorn_workers(first), 1)}
    return {name: process.memory_info().rss for name, process in processes.items()}


def lag(stack: FaultyStack) -> int:
    """Records on `posts` and `entities` that are not committed as read; transaction markers count with them."""
    total = 0
    for kind, topic in (("extractor", "posts"), ("saver", "entities")):
        committed = stack.committed(kind)
        ends = stack.ends(topic, IsolationLevel.READ_COMMITTED)
        total += sum(end - committed.get(partition, 0) for partition, end in ends.items())
    return total


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    typer.run(soak)
