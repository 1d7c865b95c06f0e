"""What the saver writes, beside what the Firestore client would write."""

from datetime import UTC, datetime

from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore_v1 import SERVER_TIMESTAMP, Client, Increment
from google.cloud.firestore_v1.types import Write

from services.saver.batch import Batch
from services.saver.writes import count_writes
from shared.firestore import Places
from shared.messages import EntityCount, ExtractedPost, Source


def test_a_batch_is_written_as_the_client_would_write_it() -> None:
    """Each publication and each of its entities is merged into its document, and its counts are added to."""
    places = Places(Client(project="test", credentials=AnonymousCredentials()), "tests/writes")
    batch = Batch(0.0, 0, 0)
    batch.count(post("The Verge", ("Angela Merkel", "PERSON", 2), ("A/B 50%", "ORG", 1)))
    batch.count(post("the  verge", ("ANGELA MERKEL", "PERSON", 1)))
    batch.count(post("Añejo", ("Lima", "GPE", 1)))

    expected = places.client.batch()
    for name, key, articles, mentions, entities in (
        ("the  verge", "the verge", 2, 4, [("Angela Merkel", "PERSON", 3), ("A/B 50%", "ORG", 1)]),
        ("Añejo", "añejo", 1, 1, [("Lima", "GPE", 1)]),
    ):
        counts = {"articles": Increment(articles), "mentions": Increment(mentions), "updated_at": SERVER_TIMESTAMP}
        expected.set(places.publication(key), {"name": name, **counts}, merge=True)
        for text, label, count in entities:
            canonical = {"A/B 50%": "a/b 50"}.get(text, text.casefold())
            document = places.entities(key).document(f"{label}:{canonical.replace('/', '%2F')}")
            fields = {"text": text, "label": label, "canonical": canonical, "publication": key}
            counts = {"count": Increment(count), "updated_at": SERVER_TIMESTAMP}
            expected.set(document, {**fields, **counts}, merge=True)

    written = [comparable(write) for write in count_writes(batch, places)]
    assert written == [comparable(write) for write in expected._write_pbs]


def post(publication: str, *entities: tuple[str, str, int]) -> ExtractedPost:
    return ExtractedPost(
        post_id="1",
        publication=publication,
        entities=[EntityCount(text=text, label=label, count=count) for text, label, count in entities],
        source=Source(topic_id="t", partition=0, offset=0),
        model="none",
        extracted_at=datetime.now(UTC),
    )


def comparable(write: Write) -> object:
    """The order of the fields means nothing."""
    transforms = sorted(str(transform) for transform in write.update_transforms)
    return write.update, sorted(write.update_mask.field_paths), transforms
