"""What is already counted of one entities partition, so that nothing is counted twice and nothing is left out.

Why this is enough: docs/guarantees.md, "What the ledger knows".
"""

from collections.abc import Mapping
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Self

from shared.messages import ExtractedPost, Source
from shared.names import publication_key

RECENT_MAX = 4096
"""Fingerprints of post ids remembered per partition: the window in which a client may send the same id again."""

HOLES_MAX = 1000
"""Dead letters of the saver whose places in `posts` are remembered per partition."""

FINGERPRINT_BYTES = 8


class Verdict(StrEnum):
    """COUNT it, or the part of the ledger that shows it as counted; the values are metric labels."""

    COUNT = "count"
    NEXT_OFFSET = "next_offset"
    SOURCES = "sources"
    RECENT = "recent"


class Ledger:
    """The state after the messages it has admitted, in memory; `to_document` is what Firestore keeps.

    next_offset: messages of the entities partition before it are done.
    sources: by `{posts topic id}-{partition}`, the last offset seen; posts up to it are done, because a posts
        partition is extracted in order, by one extractor at a time, inside Kafka transactions.
    holes: places in `posts` that `sources` covers but that were dead-lettered, not counted; oldest first.
    recent: fingerprints of the last post ids, oldest first.
    """

    def __init__(
        self,
        next_offset: int = 0,
        sources: Mapping[str, int] | None = None,
        holes: list[str] | None = None,
        recent: list[bytes] | None = None,
    ) -> None:
        self.next_offset = next_offset
        self.sources = dict(sources or {})
        self.holes = dict.fromkeys(holes or [])
        self.recent = dict.fromkeys(recent or [])

    def admit(self, offset: int, post: ExtractedPost) -> Verdict:
        """Whether to count the message at `offset`; the ledger then stands behind it, whatever the verdict."""
        if offset < self.next_offset:
            return Verdict.NEXT_OFFSET
        self.next_offset = offset + 1
        place = _place(post.source)
        if place in self.holes:
            del self.holes[place]
        elif self._covers(post.source):
            return Verdict.SOURCES
        self._cover(post.source)
        fingerprint = fingerprint_of(post)
        if fingerprint in self.recent:
            return Verdict.RECENT
        self.recent[fingerprint] = None
        _keep_last(self.recent, RECENT_MAX)
        return Verdict.COUNT

    def give_up(self, offset: int, post: ExtractedPost | None) -> None:
        """Stand behind a dead-lettered message. Where its post is known, it leaves a hole, so that it counts, once,
        when it is put back, instead of being taken for a re-emission."""
        self.next_offset = max(self.next_offset, offset + 1)
        if post is not None and not self._covers(post.source):
            self._cover(post.source)
            self.holes[_place(post.source)] = None
            _keep_last(self.holes, HOLES_MAX)

    def skip_to(self, offset: int) -> None:
        """Nothing readable is left before `offset`: transaction markers, aborted or expired records."""
        self.next_offset = max(self.next_offset, offset)

    def _covers(self, source: Source) -> bool:
        return source.offset <= self.sources.get(_partition(source), -1)

    def _cover(self, source: Source) -> None:
        key = _partition(source)
        self.sources[key] = max(self.sources.get(key, -1), source.offset)

    def to_document(self) -> dict[str, Any]:
        """Firestore fields, with `recent` packed: about 40 kB at the most of Firestore's 1 MiB."""
        return {
            "next_offset": self.next_offset,
            "sources": dict(self.sources),
            "holes": list(self.holes),
            "recent": b"".join(self.recent),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        packed = document["recent"]
        recent = [packed[at : at + FINGERPRINT_BYTES] for at in range(0, len(packed), FINGERPRINT_BYTES)]
        return cls(document["next_offset"], document["sources"], document["holes"], recent)


def fingerprint_of(post: ExtractedPost) -> bytes:
    """Eight bytes that tell posts apart: the id within its publication.

    An id that the extractor made of the post's place (`posts-7-4211`) is no one's promise to be unique: a topic made
    again gives it again. Then the topic's id is part of the fingerprint.
    """
    source = post.source
    made = post.post_id == f"posts-{source.partition}-{source.offset}"
    parts = (publication_key(post.publication), post.post_id, source.topic_id if made else "")
    return blake2b("\0".join(parts).encode(), digest_size=FINGERPRINT_BYTES).digest()


def _partition(source: Source) -> str:
    return f"{source.topic_id}-{source.partition}"


def _place(source: Source) -> str:
    return f"{_partition(source)}-{source.offset}"


def _keep_last(ordered: dict[Any, None], most: int) -> None:
    while len(ordered) > most:
        del ordered[next(iter(ordered))]
