"""One assigned partition of the entities topic: where it stands, and the batches on their way to Firestore."""

import random
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Message

from services.saver.batch import Batch, DeadLetter
from services.saver.ledger import Ledger, Verdict
from services.saver.store import Version
from shared.errors import BadRecord
from shared.messages import ExtractedPost, offset_of, parse

BACKOFF_FIRST_SECONDS = 0.1
BACKOFF_MOST_SECONDS = 15.0


@dataclass(frozen=True)
class Limits:
    """When a batch is closed."""

    posts: int
    documents: int
    age_seconds: float


@dataclass(frozen=True)
class Closed:
    """A batch that takes no more, and the ledger as it stands behind it."""

    batch: Batch
    ledger: dict[str, Any]
    next_offset: int


@dataclass
class Standing:
    """What a partition knows once its ledger is read. Dropped as a whole when a commit fails: the ledger in Firestore
    is the truth, Kafka has the messages, and going back to both is the same as starting up."""

    topic_id: str
    ledger: Ledger
    version: Version
    open: Batch | None = None
    closed: deque[Closed] = field(default_factory=deque)


class Partition:
    """Takes records, closes batches, remembers what failed. Knows no client: `loop.py` moves things."""

    def __init__(self, number: int, limits: Limits) -> None:
        self.number = number
        self.standing: Standing | None = None
        self.work: Future[Any] | None = None
        """The read of the ledger or the one commit under way."""
        self.paused = False
        self.failures = 0
        self.try_again_at = 0.0
        self.position = 0
        """Where the next record is expected at the earliest; one before it means that Kafka was rewound under us."""
        self.checked_at = 0.0
        """When the ledger in Firestore was last known to be ours, by a read or a commit; monotonic."""
        self.unsaved_since_ms: int | None = None
        """Timestamp of the oldest record taken and not saved; outlives a fall back to the ledger."""
        self._limits = limits
        self._posts_max = limits.posts
        self._refused: dict[int, BadRecord] = {}

    def take(self, record: Message, now: float) -> None:
        """Puts a record into the open batch: counted, left out as a duplicate, or given up."""
        standing = self._ready()
        offset = offset_of(record)
        self.position = offset + 1
        if self.unsaved_since_ms is None:
            self.unsaved_since_ms = record.timestamp()[1]
        try:
            post = parse(ExtractedPost, record)
        except BadRecord as error:
            batch = self._open(record, now)
            standing.ledger.give_up(offset, None)
            batch.dead_letters.append(DeadLetter(record, error))
        else:
            if standing.open and standing.open.posts and standing.open.documents_with(post) > self._limits.documents:
                self.close()
            batch = self._open(record, now)
            self._count_or_give_up(record, post, batch, standing.ledger)
        batch.messages += 1
        if batch.messages >= self._posts_max:
            self.close()

    def _count_or_give_up(self, record: Message, post: ExtractedPost, batch: Batch, ledger: Ledger) -> None:
        refused = self._refused.get(offset_of(record))
        if refused is not None:
            ledger.give_up(offset_of(record), post)
            batch.dead_letters.append(DeadLetter(record, refused))
            return
        verdict = ledger.admit(offset_of(record), post)
        if verdict is Verdict.COUNT:
            batch.count(post)
        else:
            batch.duplicates[verdict.value] += 1

    def _open(self, record: Message, now: float) -> Batch:
        standing = self._ready()
        if standing.open is None:
            standing.open = Batch(now, offset_of(record), record.timestamp()[1])
        return standing.open

    def close(self) -> None:
        """The open batch, if there is one, takes no more and waits for its commit."""
        standing = self._ready()
        if standing.open is not None:
            ledger = standing.ledger
            standing.closed.append(Closed(standing.open, ledger.to_document(), ledger.next_offset))
            standing.open = None

    def next_commit(self, now: float) -> Closed | None:
        """The batch to commit now, if one is due by size or age."""
        standing = self._ready()
        if not standing.closed and standing.open and now - standing.open.opened_at >= self._limits.age_seconds:
            self.close()
        return standing.closed[0] if standing.closed else None

    @property
    def busy(self) -> bool:
        """A commit is under way, or waits for its turn."""
        return self.standing is not None and bool(self.work or self.standing.open or self.standing.closed)

    @property
    def idle(self) -> bool:
        """Everything taken is saved."""
        return self.standing is not None and not self.busy

    def found(self, standing: Standing, position: int) -> None:
        """The ledger was read: go on from there, with nothing in hand."""
        self.standing = standing
        self.position = position
        self.unsaved_since_ms = None

    def saved(self, version: Version) -> Closed:
        """The first closed batch is in Firestore, under this version of the ledger. Returns it."""
        standing = self._ready()
        standing.version = version
        done = standing.closed.popleft()
        self._refused = {offset: error for offset, error in self._refused.items() if offset >= done.next_offset}
        self.failures = 0
        self._posts_max = self._limits.posts
        left = standing.closed[0].batch if standing.closed else standing.open
        self.unsaved_since_ms = left.first_timestamp_ms if left else None
        return done

    def refused(self, batch: Batch, reason: str) -> None:
        """Firestore refuses `batch` for good: halve it until the message at fault stands alone; then give it up."""
        if batch.messages > 1:
            self._posts_max = max(1, batch.messages // 2)
        else:
            self._refused = {batch.first_offset: BadRecord("refused_by_firestore", reason)}

    def fall_back(self, now: float, *, wait: bool) -> None:
        """Forget all since the last commit; the ledger is read again, at once or after a growing, random wait."""
        self.standing = None
        self.failures += 1
        if wait:
            most = min(BACKOFF_MOST_SECONDS, BACKOFF_FIRST_SECONDS * 2 ** min(self.failures, 10))
            self.try_again_at = now + random.uniform(most / 2, most)  # noqa: S311 (jitter, not a secret)
        else:
            self.try_again_at = now

    def _ready(self) -> Standing:
        if self.standing is None:
            raise RuntimeError(f"Partition {self.number} was used before its ledger was read: a bug in loop.py")
        return self.standing
