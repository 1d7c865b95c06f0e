"""Messages of one partition on their way into one Firestore commit: what they add up to."""

from collections import Counter
from dataclasses import dataclass, field

from confluent_kafka import Message

from shared.errors import BadRecord
from shared.messages import ExtractedPost
from shared.names import canonical_entity, publication_key

Entity = tuple[str, str]
"""Label and canonical text: what makes two mentions the same entity."""


@dataclass
class PublicationCounts:
    """What a batch adds to one publication."""

    name: str
    articles: int = 0
    mentions: int = 0
    entities: dict[Entity, int] = field(default_factory=dict)
    texts: dict[Entity, dict[str, int]] = field(default_factory=dict)

    def add(self, post: ExtractedPost) -> None:
        self.name = post.publication
        self.articles += 1
        for mention in post.entities:
            entity = (mention.label, canonical_entity(mention.text))
            self.mentions += mention.count
            self.entities[entity] = self.entities.get(entity, 0) + mention.count
            texts = self.texts.setdefault(entity, {})
            texts[mention.text] = texts.get(mention.text, 0) + mention.count

    def text(self, entity: Entity) -> str:
        """The mention as it most often stood."""
        texts = self.texts[entity]
        return max(texts, key=texts.__getitem__)


@dataclass
class DeadLetter:
    """A record that the saver gives up, and why."""

    record: Message
    error: BadRecord


@dataclass
class Batch:
    """What one commit will hold. Every message of the partition passes through one: counted, left out or given up."""

    opened_at: float
    """Monotonic, in seconds."""
    first_offset: int
    first_timestamp_ms: int
    messages: int = 0
    posts: int = 0
    duplicates: Counter[str] = field(default_factory=Counter)
    publications: dict[str, PublicationCounts] = field(default_factory=dict)
    dead_letters: list[DeadLetter] = field(default_factory=list)

    @property
    def documents(self) -> int:
        """Documents that the commit writes, the ledger not counted."""
        return len(self.publications) + sum(len(counts.entities) for counts in self.publications.values())

    def documents_with(self, post: ExtractedPost) -> int:
        """`documents`, were `post` added."""
        entities = {(mention.label, canonical_entity(mention.text)) for mention in post.entities}
        counts = self.publications.get(publication_key(post.publication))
        if counts is None:
            return self.documents + 1 + len(entities)
        return self.documents + len(entities - counts.entities.keys())

    def count(self, post: ExtractedPost) -> None:
        self.posts += 1
        key = publication_key(post.publication)
        self.publications.setdefault(key, PublicationCounts(post.publication)).add(post)
