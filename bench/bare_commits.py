"""500 writes a commit, one after the other: `python -m bench.bare_commits MESSAGES made|client` prints documents/s.

made: the writes are there before the clock starts, so that nothing is timed but commits. client: they are made as the
Firestore client's users make them, by `WriteBatch.set`.
"""

import sys
import time
from collections.abc import Iterable, Iterator
from itertools import islice

from google.cloud.firestore_v1 import SERVER_TIMESTAMP, Increment, WriteBatch
from google.cloud.firestore_v1.types import Write

from bench.texts import news_stream
from services.saver.batch import Batch
from services.saver.settings import SaverSettings
from services.saver.writes import count_writes
from shared.firestore import Places, connect
from shared.messages import ExtractedPost
from shared.names import entity_id

DOCUMENTS = 499


def main() -> None:
    places = connect(SaverSettings())
    batches = list(full_batches(islice(news_stream(), int(sys.argv[1]))))
    if sys.argv[2] == "made":
        made: list[list[Write]] = [list(count_writes(batch, places)) for batch in batches]
    started = time.perf_counter()
    for number, batch in enumerate(batches):
        writes = places.client.batch()
        if sys.argv[2] == "made":
            writes._add_write_pbs(made[number])
        else:
            set_counts(writes, batch, places)
        writes.commit()
    seconds = time.perf_counter() - started
    sys.stdout.write(f"{sum(batch.documents for batch in batches) / seconds}\n")


def full_batches(posts: Iterable[ExtractedPost]) -> Iterator[Batch]:
    """As the saver closes them under load; of the last posts, which fill none, nothing."""
    batch = Batch(0.0, 0, 0)
    for post in posts:
        if batch.documents_with(post) > DOCUMENTS:
            yield batch
            batch = Batch(0.0, 0, 0)
        batch.count(post)


def set_counts(writes: WriteBatch, batch: Batch, places: Places) -> None:
    now = {"updated_at": SERVER_TIMESTAMP}
    for key, counts in batch.publications.items():
        added = {"articles": Increment(counts.articles), "mentions": Increment(counts.mentions)}
        writes.set(places.publication(key), {"name": counts.name, **added, **now}, merge=True)
        for (label, canonical), count in counts.entities.items():
            fields = {"text": counts.text((label, canonical)), "label": label, "canonical": canonical}
            reference = places.entities(key).document(entity_id(label, canonical))
            writes.set(reference, {**fields, "publication": key, "count": Increment(count), **now}, merge=True)


if __name__ == "__main__":
    main()
