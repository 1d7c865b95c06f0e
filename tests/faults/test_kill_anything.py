"""Every post that got a 201 is counted exactly once, whatever is killed, and whenever."""

import json
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conftest import option
from tests.faults.kinds import ALL, Fault, kill_services, make_topics_again
from tests.faults.stack import FaultyStack, start_faulty_stack
from tests.oracle import Counts
from tests.pipeline import READY_SECONDS

CALM_SECONDS = (0.5, 4.0)
"""Between two faults: mostly too short for the last one to have healed."""
KILLS = 4
"""How many more times services are killed in a round."""
LONG_SIZES = (4, 8, 16)


def test_every_201_is_counted_exactly_once(
    seed: int, tmp_path: Path, pytestconfig: pytest.Config, say: Callable[[str], None]
) -> None:
    """1. Rounds of all kinds of faults in random order under load, after each of which the counts are exact: equal to
    the same model's in one process. 2. All that was refused is a dead letter, byte for byte. 3. Dead letters put back
    and mended are counted once. 4. No process is left behind."""
    rounds, minutes = int(str(option(pytestconfig, "rounds", 1))), float(str(option(pytestconfig, "minutes", 0.0)))
    rate = float(str(option(pytestconfig, "rate", 40.0)))
    randomness = random.Random(seed)
    started = time.monotonic()
    with start_faulty_stack(tmp_path) as stack:
        stack.load.rate = rate
        stack.show = say
        if rounds > 1 or minutes:
            stack.sizes = LONG_SIZES
        done = 0
        while done < rounds or time.monotonic() - started < 60 * minutes:
            done += 1
            one_round(stack, randomness)
            stack.tell(f"round {done}: {len(stack.load.accepted)} posts counted exactly, {dict(stack.load.answers)}")
        stack.dead_letters_are_complete()
        put_dead_letters_back(stack)
        stack.tell(f"seed {seed}: {sum(stack.kills.values())} kills {dict(stack.kills)}, {dict(stack.load.refusals)}")


def one_round(stack: FaultyStack, randomness: random.Random) -> None:
    """Each kind once and kills more often, in random order; last the one that begins a new run."""
    faults: list[Fault] = [fault for fault in ALL if fault is not make_topics_again]
    faults.extend([kill_services] * KILLS)
    randomness.shuffle(faults)
    stack.load.start()
    for fault in [*faults, make_topics_again]:
        stack.run_for(randomness.uniform(*CALM_SECONDS))
        started = time.monotonic()
        said = fault(stack, randomness)
        stack.tell(f"{said} ({time.monotonic() - started:.1f} s, {len(stack.load.accepted)} posts)")
    stack.drain()
    stack.tell(f"exact after {stack.counts_become_exact():.1f} s")


def put_dead_letters_back(stack: FaultyStack) -> None:
    """Those of posts as they are: they come back as dead letters, and change no count. Those that Firestore refused
    with their name cut short: each counts one article."""
    before = stack.pipeline.counts()
    letters = len(stack.pipeline.records("posts_dlq"))
    for key, value in stack.poison["posts_dlq"]:
        stack.pipeline.produce("posts", [value], key.decode() if key else None)
    refused = [json.loads(value) for _, value in stack.poison["entities_dlq"] if value and b'"PERSON"' in value]
    mended = [json.dumps(message | {"entities": []}).encode() for message in refused]
    stack.pipeline.produce("entities", mended * 2, key="reuters")
    wanted = before + Counts({("reuters", "articles"): len(mended)})
    stack.until(lambda: stack.pipeline.counts() == wanted, READY_SECONDS)
    stack.until(lambda: len(stack.pipeline.records("posts_dlq")) >= letters + len(stack.poison["posts_dlq"]))
    stack.dead_letters_are_complete()
