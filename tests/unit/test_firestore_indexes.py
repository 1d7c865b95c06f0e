"""firestore.indexes.json: an index for each query there is, and none that no query uses.

The emulator answers without any, so the rules of Firestore are written down here:
https://firebase.google.com/docs/firestore/query-data/index-overview
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore_v1 import Client, DocumentReference, DocumentSnapshot, Query
from google.cloud.firestore_v1.types import StructuredQuery

from services.gateway.paging import NAME, Page
from services.gateway.queries import Order, list_publications, mentions, mentions_by_prefix, top_entities
from services.gateway.store import Document, Reader
from shared.firestore import Places

Index = tuple[str, str, tuple[tuple[str, str], ...]]
"""Collection group, scope, and (field, direction) of each field. All end with the name, in the last one's direction."""

FILE = json.loads((Path(__file__).parents[2] / "firestore.indexes.json").read_text())
QUESTIONS: dict[str, Callable[..., Any]] = {
    "publications": list_publications,
    "publications by articles": partial(list_publications, order=Order.ARTICLES),
    "publications by prefix": partial(list_publications, prefix="the "),
    "a publication's entities": partial(top_entities, key="reuters", label=None),
    "a publication's people": partial(top_entities, key="reuters", label="PERSON"),
    "who mentions an entity": partial(mentions, canonical="angela merkel"),
    "entities by prefix": partial(mentions_by_prefix, prefix="ang"),
}


class Recorder(Reader):
    """Remembers the queries, and finds more than a page of documents for each."""

    def __init__(self) -> None:
        super().__init__(Places(Client("p", AnonymousCredentials())), seconds=1)
        self.queries: list[StructuredQuery] = []

    def find(self, query: Query) -> list[Document]:
        asked: StructuredQuery = query._to_protobuf()
        self.queries.append(asked)
        of_entities = asked.from_[0].collection_id == "entities"
        collection = self.places.entities("reuters") if of_entities else self.places.publications
        return [found(collection.document(f"d{number}")) for number in range(asked.limit)]

    def get(self, references: list[DocumentReference]) -> list[Document]:
        return [found(reference) for reference in references]


def found(reference: DocumentReference) -> Document:
    fields = {"name": "Reuters", "articles": 1, "text": "A", "label": "ORG", "canonical": "a", "count": 1}
    return DocumentSnapshot(reference, fields, exists=True, read_time=None, create_time=None, update_time=None)


def indexes_for(ask: Callable[..., Any]) -> set[Index]:
    """What Firestore needs for the first page, one behind it, and one before that."""
    reader = Recorder()
    page = ask(reader, page=Page(2))
    page = ask(reader, page=Page(2, page.next_cursor))
    if page.previous_cursor:
        ask(reader, page=Page(2, page.previous_cursor))
    return {index for query in reader.queries if (index := index_for(query))[2]}


def index_for(query: StructuredQuery) -> Index:
    """Fields that are compared with ==, then those that it is sorted by."""
    equal = [
        each.field_filter.field.field_path
        for each in [query.where, *query.where.composite_filter.filters]
        if each.field_filter.op == StructuredQuery.FieldFilter.Operator.EQUAL
    ]
    *sorted_by, (last, direction) = [(each.field.field_path, each.direction.name) for each in query.order_by]
    assert last == NAME
    assert direction == (sorted_by[-1][1] if sorted_by else "ASCENDING"), "not the way an index ends by itself"
    source = query.from_[0]
    scope = "COLLECTION_GROUP" if source.all_descendants else "COLLECTION"
    return source.collection_id, scope, (*((field, "ASCENDING") for field in equal), *sorted_by)


def shipped() -> set[Index]:
    composite = {
        (each["collectionGroup"], each["queryScope"], tuple((of["fieldPath"], of["order"]) for of in each["fields"]))
        for each in FILE["indexes"]
    }
    single = {
        (each["collectionGroup"], index["queryScope"], ((each["fieldPath"], index["order"]),))
        for each in FILE["fieldOverrides"]
        for index in each["indexes"]
    }
    return composite | single


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_query_has_its_index(question: str) -> None:
    """In both directions of paging. By the key alone Firestore reads without one."""
    assert indexes_for(QUESTIONS[question]) <= shipped()


def test_every_index_has_its_query() -> None:
    """Each one is written with each count, and paid for. Fields that no query asks by have none: `*` takes them away,
    `updated_at` among them, which would limit a collection to 500 writes a second."""
    assert set[Index]().union(*map(indexes_for, QUESTIONS.values())) == shipped()
    without = {each["collectionGroup"] for each in FILE["fieldOverrides"] if each["fieldPath"] == "*"}
    assert without == {"publications", "entities", "ledger"}
    assert not [index for each in FILE["fieldOverrides"] if each["fieldPath"] == "*" for index in each["indexes"]]
