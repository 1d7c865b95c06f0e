"""Firestore commits of 500 writes and nothing around them: `python -m bench.bare_commits ROOT COUNT` prints documents
a second.

The same documents as the saver writes of the same articles, one commit after another, added up before the clock starts.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from google.cloud.firestore_v1 import SERVER_TIMESTAMP, Client, DocumentReference, Increment

from bench.stream import Item, fitted, label, name, news, publication
from shared.firestore import Places
from shared.names import canonical_entity, entity_id, publication_key

WRITES = 500
WARM_UP = 4
SECONDS = 60.0

Document = tuple[DocumentReference, dict[str, Any]]


def main(root: str, count: int) -> float:
    client = Client()
    commits = list(chunks(Places(client, root), list(news(fitted(), count))))
    for documents in commits[:WARM_UP]:
        commit(client, documents)
    started = time.monotonic()
    for documents in commits[WARM_UP:]:
        commit(client, documents)
    return sum(map(len, commits[WARM_UP:])) / (time.monotonic() - started)


def commit(client: Client, documents: Sequence[Document]) -> None:
    batch = client.batch()
    for reference, fields in documents:
        batch.set(reference, fields, merge=True)
    batch.commit(timeout=SECONDS)


def chunks(places: Places, items: Sequence[Item]) -> Iterator[list[Document]]:
    """Articles in their order, each chunk with as many as make 500 documents at most."""
    articles: dict[int, int] = {}
    counts: dict[tuple[int, int], int] = {}
    for item in items:
        new = {(item.publication, each) for each in item.names} - counts.keys()
        if len(counts) + len(articles) + len(new) + 1 > WRITES:
            yield [*publication_documents(places, articles), *entity_documents(places, counts)]
            articles, counts = {}, {}
        articles[item.publication] = articles.get(item.publication, 0) + 1
        for each in item.names:
            counts[item.publication, each] = counts.get((item.publication, each), 0) + 1


def publication_documents(places: Places, articles: dict[int, int]) -> Iterator[Document]:
    for number, count in articles.items():
        fields = {
            "name": publication(number),
            "articles": Increment(count),
            "mentions": Increment(count),
            "updated_at": SERVER_TIMESTAMP,
        }
        yield places.publication(publication_key(publication(number))), fields


def entity_documents(places: Places, counts: dict[tuple[int, int], int]) -> Iterator[Document]:
    for (where, number), count in counts.items():
        key, canonical = publication_key(publication(where)), canonical_entity(name(number))
        fields = {
            "text": name(number),
            "label": label(number),
            "canonical": canonical,
            "publication": key,
            "count": Increment(count),
            "updated_at": SERVER_TIMESTAMP,
        }
        yield places.entities(key).document(entity_id(label(number), canonical)), fields


if __name__ == "__main__":
    sys.stdout.write(f"{main(sys.argv[1], int(sys.argv[2]))}\n")
