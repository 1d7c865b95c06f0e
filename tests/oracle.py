"""What must be counted, by the obvious way: every post once, in one process, with the same model."""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache

from google.cloud.firestore_v1 import Client, CollectionReference

from services.extractor.extract import Extractor
from shared.errors import BadRecord
from shared.firestore import Places
from shared.messages import EntityCount
from shared.names import canonical_entity, publication_key

Counts = Counter[tuple[str, ...]]
"""(publication, "articles"), (publication, "mentions") and (publication, label, canonical text), each to its count."""


@cache
def extractor() -> Extractor:
    return Extractor("models/en_namedrop_sm")


@cache
def entities_of(content: str) -> tuple[EntityCount, ...]:
    """What the model finds; remembered, because tests post the same articles again and again."""
    (entities,) = extractor().extract([content])
    assert not isinstance(entities, BadRecord)
    return tuple(entities)


def expected_counts(posts: Iterable[Mapping[str, str]]) -> Counts:
    """posts: with `publication` and `content`, each to be counted once."""
    counts: Counts = Counter()
    for post in posts:
        key = publication_key(post["publication"])
        counts[key, "articles"] += 1
        for entity in entities_of(post["content"]):
            counts[key, "mentions"] += entity.count
            counts[key, entity.label, canonical_entity(entity.text)] += entity.count
    return counts


def stored_counts(client: Client, root: str) -> Counts:
    """What Firestore holds below `root`."""
    counts: Counts = Counter()
    for publication in Places(client, root).publications.stream():
        fields = publication.to_dict() or {}
        key = publication_key(fields["name"])
        counts[key, "articles"] += fields["articles"]
        counts[key, "mentions"] += fields["mentions"]
        entities: CollectionReference = publication.reference.collection("entities")
        for entity in entities.stream():
            entity_fields = entity.to_dict() or {}
            counts[key, entity_fields["label"], entity_fields["canonical"]] += entity_fields["count"]
    return +counts
