"""What can go wrong, each kind a function that does it once, while the load runs, and says what it did.

The numbers are those of the list in docs/reliability.md. Nothing here waits for the counts: the next fault may come
before this one has healed.
"""

import json
import random
from collections.abc import Callable
from typing import Any

import psutil
from confluent_kafka import IsolationLevel
from google.cloud.firestore_v1 import CollectionReference, Transaction, transactional

from shared.firestore import Places
from tests.faults.extractor_with_fault_point import AFTER_COMMIT, BEFORE_COMMIT
from tests.faults.stack import SESSION_SECONDS, SETTLE_SECONDS, TRANSACTION_SECONDS, FaultyStack

Fault = Callable[[FaultyStack, random.Random], str]

BASE = 2
"""Extractors and savers when nothing is scaled."""
GATEWAY_MEMORY_MOST = 400 * 1024 * 1024
LATE_SECONDS = 5.0
"""What a busy machine may add to a time limit of Kafka's."""
REFUSED_BYTES = 1_600_000
"""Of a name that is over Firestore's limit for a document, 1 MiB."""


def kill_services(stack: FaultyStack, random_: random.Random) -> str:
    """1. SIGKILL of gateway workers, extractors and savers, several at once; the supervisor starts them again."""
    workers = stack.running("extractor") + stack.running("saver")
    victims = random_.sample(workers, min(len(workers), random_.randint(1, 3)))
    stack.kill(*victims)
    names = [victim.name for victim in victims]
    if random_.random() < 0.5:
        names.append(stack.kill_gateway_worker(random_))
    stack.run_for(random_.uniform(0.5, 5.0))
    return f"killed {', '.join(names)}"


def freeze_beyond_session(stack: FaultyStack, random_: random.Random) -> str:
    """2. SIGSTOP of a saver or an extractor until its group has moved on, then SIGCONT: a zombie."""
    workers = stack.running("extractor") + stack.running("saver")
    victim = random_.choice(workers)
    seconds = SESSION_SECONDS + random_.uniform(2.0, 5.0)
    with stack.frozen(victim):
        stack.run_for(seconds)
    return f"froze {victim.name} for {seconds:.1f} s"


def scale(stack: FaultyStack, random_: random.Random) -> str:
    """3. More extractors and savers, up to 16, one of the two right down to 1 afterwards, and back."""
    most = random_.choice(stack.sizes)
    for kind in ("extractor", "saver"):
        stack.scale(kind, most)
    stack.run_for(random_.uniform(2.0, 8.0))
    stack.scale(random_.choice(("extractor", "saver")), 1)
    stack.run_for(random_.uniform(0.0, 3.0))
    for kind in ("extractor", "saver"):
        stack.scale(kind, BASE)
    return f"scaled to {most} and back"


def kill_broker(stack: FaultyStack, random_: random.Random) -> str:
    """4. SIGKILL of the broker; what it had acknowledged is in its files."""
    stack.kill(stack.broker)
    stack.until(lambda: not stack.broker.running)
    stack.until_ready(stack.broker)
    return "killed the broker"


def take_firestore_away(stack: FaultyStack, random_: random.Random) -> str:
    """5. Firestore frozen, unreachable, slow; or commits that arrive and whose answers do not."""
    how = random_.choice(("frozen", "unreachable", "slow", "cut"))
    seconds = random_.uniform(2.0, 12.0)
    if how == "frozen":
        with stack.frozen(stack.emulator):
            stack.run_for(seconds)
    elif how == "unreachable":
        stack.proxy.go_away()
        stack.run_for(seconds)
        stack.proxy.come_back()
    elif how == "slow":
        stack.proxy.delay_seconds = random_.uniform(0.2, 1.5)
        stack.run_for(seconds)
        stack.proxy.delay_seconds = 0.0
    return f"Firestore {how} for {seconds:.1f} s; {cut_commits(stack, random_.randint(1, 5))}"


def cut_commits(stack: FaultyStack, count: int) -> str:
    """The ambiguous commit: applied, and nobody was told. Waits until that many were cut."""
    lost = stack.proxy.bytes_lost
    stack.proxy.commits_to_cut = count
    stack.until(lambda: not stack.proxy.commits_to_cut and stack.proxy.bytes_lost > lost, SETTLE_SECONDS)
    return f"{count} commits applied without an answer"


def send_again_in_haste(stack: FaultyStack, random_: random.Random) -> str:
    """6. Clients that give up after milliseconds and send the same id again, at once and through all gateways."""
    before = stack.load.answers.total()
    stack.load.hasty = True
    stack.run_for(random_.uniform(2.0, 4.0))
    stack.load.hasty = False
    return f"hasty clients, {stack.load.answers.total() - before} requests"


def poison_both_topics(stack: FaultyStack, random_: random.Random) -> str:
    """7. Records that no reader can use, between good ones; and a message that Firestore refuses."""
    tag = f"{random_.getrandbits(32):08x}".encode()
    bad_posts = [b"{" + tag, b'{"publication": "Reuters", "x": "' + tag + b'"}', b"\xff\x00" + tag, tag * 20_000]
    bad_entities = [b"{" + tag, b'{"post_id": "' + tag + b'", "publication": "Reuters", "entities": []}', tag * 20_000]
    for topic, values in (("posts", bad_posts), ("entities", bad_entities)):
        stack.pipeline.produce(topic, values, key="reuters")
        stack.poison[f"{topic}_dlq"] |= {(b"reuters", value) for value in values}
    refused = refused_message(tag.decode())
    stack.pipeline.produce("entities", [refused], key="reuters")
    stack.poison["entities_dlq"].add((b"reuters", refused))
    return f"put {len(bad_posts)} bad records on posts and {len(bad_entities) + 1} on entities"


def refused_message(tag: str) -> bytes:
    """Right in shape, but with a name that no Firestore document can hold. From a posts partition of its own."""
    message = {
        "post_id": tag,
        "publication": "Reuters",
        "entities": [{"text": "x" * REFUSED_BYTES, "label": "PERSON", "count": 1}],
        "source": {"topic_id": f"poison-{tag}", "partition": 0, "offset": 0},
        "model": "none",
        "extracted_at": "2026-11-24T00:00:00Z",
    }
    return json.dumps(message).encode()


def rewind_a_group(stack: FaultyStack, random_: random.Random) -> str:
    """8. The extractor group or the saver group set back with the console tool; its members are away for that."""
    kind = random_.choice(("extractor", "saver"))
    how = random_.choice((["--to-earliest"], ["--shift-by", "-200"]))
    stack.scale(kind, 0)
    stack.until(lambda: stack.group_is_empty(kind))
    stack.rewind(kind, *how)
    stack.scale(kind, BASE)
    return f"rewound the {kind} group, {' '.join(how)}"


def make_topics_again(stack: FaultyStack, random_: random.Random) -> str:
    """9. Both topics deleted and made again between two runs into the same Firestore root."""
    stack.drain()
    stack.counts_become_exact()
    for kind in ("extractor", "saver"):
        stack.scale(kind, 0)
    names = [stack.pipeline.topics[topic] for topic in ("posts", "entities")]
    for deleted in stack.admin.delete_topics(names, operation_timeout=30).values():
        deleted.result(60)
    stack.until(lambda: not set(names) & set(stack.admin.list_topics(timeout=10).topics))
    # A broker still takes records, and acknowledges them, while it puts away the logs of a topic that it lists no more.
    stack.until(lambda: not any(stack.has_logs(name) for name in names))
    stack.pipeline.make_topics()
    stack.topics_made_at = len(stack.load.accepted)
    for kind in ("extractor", "saver"):
        stack.scale(kind, BASE)
    stack.load.start()
    stack.run_for(5.0)
    return "deleted both topics and made them again"


def fill_the_gateways(stack: FaultyStack, random_: random.Random) -> str:
    """10. The broker frozen, so that the gateways' queues fill: 503s, and memory stays bounded."""
    before = stack.load.answers[503]
    with stack.frozen(stack.broker):
        stack.until(lambda: stack.load.answers[503] > before + 50)
        memory = max(process.memory_info().rss for process in gateway_processes(stack))
    assert memory < GATEWAY_MEMORY_MOST
    return f"froze the broker for {stack.load.answers[503] - before} 503s; largest gateway process {memory >> 20} MiB"


def gateway_processes(stack: FaultyStack) -> list[psutil.Process]:
    parents = [psutil.Process(gateway.pid) for gateway in stack.gateways if gateway.running]
    return parents + [child for parent in parents for child in parent.children()]


def kill_inside_a_transaction(stack: FaultyStack, random_: random.Random) -> str:
    """11. SIGKILL of an extractor whose messages are at the broker and whose transaction is open, or just committed.

    It comes back under its name at once, or not until its transaction has timed out: readers behind it go on by then.
    """
    place = random_.choice((BEFORE_COMMIT, BEFORE_COMMIT, AFTER_COMMIT))
    order = stack.folder / place
    stays_down = random_.random() < 0.5
    stack.until_ready(*stack.running("extractor"))
    before = [worker for worker in stack.running("extractor") if worker.wanted]
    if stays_down:
        for worker in before:
            worker.wanted = False  # for whichever obeys: the supervisor starts nobody
    order.touch()
    stack.until(lambda: not order.exists())
    stack.until(lambda: stays_down is False or any(not worker.running for worker in before))
    dead = [worker for worker in before if not worker.running]
    stack.kills["extractor in its transaction"] += 1
    waited = ""
    if stays_down:
        for worker in before:
            worker.wanted = worker not in dead
        written = stack.ends("entities", IsolationLevel.READ_UNCOMMITTED)
        seconds = stack.seconds_until(lambda: readable(stack, written))
        assert seconds < TRANSACTION_SECONDS + LATE_SECONDS
        waited = f", gone; its readers waited {seconds:.1f} s"
        for worker in dead:
            worker.start()
    return f"killed an extractor {place}{waited}"


def readable(stack: FaultyStack, ends: dict[int, int]) -> bool:
    """Whether a reader of committed records has all before those ends before it."""
    return all(
        end >= ends[partition] for partition, end in stack.ends("entities", IsolationLevel.READ_COMMITTED).items()
    )


def set_firestore_back(stack: FaultyStack, random_: random.Random) -> str:
    """12. Firestore emptied, or put back to a copy of a moment ago: ledger and counts go back together.

    Posts of topics that were deleted since can't be counted again: there the retention ends.
    """
    if random_.random() < 0.5:
        stack.kill(stack.emulator)
        stack.until(lambda: not stack.emulator.running)
        stack.counted_from = stack.topics_made_at
        stack.until_ready(stack.emulator)
        return "killed the emulator, which came back empty"
    places = Places(stack.pipeline.firestore, stack.pipeline.root)
    copied = copy_of(places)
    seconds = random_.uniform(2.0, 8.0)
    stack.run_for(seconds)
    stack.proxy.go_away()
    stack.until(lambda: copy_of(places) == copy_of(places))  # what was under way has arrived, or never will
    put_back(places, copied)
    stack.proxy.come_back()
    return f"put Firestore back by {seconds:.1f} s, {len(copied)} documents"


Copy = dict[str, dict[str, object]]


def copy_of(places: Places) -> Copy:
    """Every document of the root by path, as all of them were at one moment."""

    @transactional
    def read(transaction: Transaction) -> Copy:
        return {found.reference.path: found.to_dict() or {} for found in documents(places, transaction)}

    copied: Copy = read(places.client.transaction(read_only=True))
    return copied


def put_back(places: Places, copied: Copy) -> None:
    """The documents as they were, and no others."""
    writes = places.client.batch()
    for found in documents(places, None):
        if found.reference.path not in copied:
            writes.delete(found.reference)
    for path, fields in copied.items():
        writes.set(places.client.document(path), fields)
    writes.commit()


def documents(places: Places, transaction: Transaction | None) -> list[Any]:
    """Publications, their entities, ledgers."""
    publications = list(places.publications.stream(transaction=transaction))
    ledgers: CollectionReference = places.ledger("any", 0).parent
    collections = [ledgers, *(publication.reference.collection("entities") for publication in publications)]
    return publications + [each for found in collections for each in found.stream(transaction=transaction)]


ALL: tuple[Fault, ...] = (
    kill_services,
    freeze_beyond_session,
    scale,
    kill_broker,
    take_firestore_away,
    send_again_in_haste,
    poison_both_topics,
    rewind_a_group,
    make_topics_again,
    fill_the_gateways,
    kill_inside_a_transaction,
    set_firestore_back,
)
