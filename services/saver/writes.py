"""What a batch adds to Firestore, as the writes of a commit.

Put together field by field: of 499 documents that takes 5 ms here, and the client's own `WriteBatch.set`, which
searches every document for whatever a caller may have put into it, 135 ms.
"""

from collections.abc import Iterator

from google.cloud.firestore_v1.types import DocumentTransform, Write

from services.saver.batch import Batch
from shared.firestore import Places
from shared.names import entity_id

WriteMessage = Write.pb()
FieldTransform = DocumentTransform.FieldTransform.pb()
NOW = FieldTransform(
    field_path="updated_at", set_to_server_value=DocumentTransform.FieldTransform.ServerValue.REQUEST_TIME
)


def count_writes(batch: Batch, places: Places) -> Iterator[Write]:
    """A write for each publication and entity: its fields are set, its counts added to."""
    for key, counts in batch.publications.items():
        publication = places.name(places.publication(key))
        added = {"articles": counts.articles, "mentions": counts.mentions}
        yield merge(publication, {"name": counts.name}, added)
        for (label, canonical), count in counts.entities.items():
            fields = {
                "text": counts.text((label, canonical)),
                "label": label,
                "canonical": canonical,
                "publication": key,
            }
            yield merge(f"{publication}/entities/{entity_id(label, canonical)}", fields, {"count": count})


def merge(name: str, fields: dict[str, str], added: dict[str, int]) -> Write:
    """As `set(…, merge=True)` does it: other fields of the document stay. `updated_at` becomes the commit's time."""
    write = WriteMessage()
    write.update.name = name
    values = write.update.fields
    for field, text in fields.items():
        values[field].string_value = text
    write.update_mask.field_paths.extend(fields)
    for field, count in added.items():
        write.update_transforms.add(field_path=field).increment.integer_value = count
    write.update_transforms.append(NOW)
    wrapped: Write = Write.wrap(write)
    return wrapped
