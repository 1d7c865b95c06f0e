"""What is counted, page by page: questions to a Reader, and their answers.

A page holds what stood there when it was read. Counts grow meanwhile, so an entity that overtakes others between two
pages may show up twice, or not at all; paging itself goes on.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from google.cloud.firestore_v1 import DocumentReference, FieldFilter, Query
from pydantic import BaseModel, Field

from services.gateway.cursor import decode_cursor, encode_cursor
from services.gateway.store import Document, Reader
from shared.names import publication_key

Count = Annotated[int, Field(ge=0, le=2**63 - 1)]
DocumentId = Annotated[str, Field(pattern=r"^[^/]+$")]
DocumentPath = Annotated[str, Field(pattern=r"^[^/]+/[^/]+(/[^/]+/[^/]+)*$")]
NAME = "__name__"
"""Firestore's name for a document's path in queries; the second key of every order, so that no two are equal."""


@dataclass(frozen=True)
class Page:
    """Which part of the results: `limit` of them, from behind the one where the last page ended."""

    limit: int
    cursor: str | None


class Publication(BaseModel):
    """`key` names it in paths; `name` is how it was written last."""

    key: str
    name: str
    articles: int
    mentions: int
    updated_at: datetime | None


class Publications(BaseModel):
    publications: list[Publication]
    next_cursor: str | None
    """Null on the last page."""


class Entity(BaseModel):
    """`text` is a mention as it stood in an article."""

    text: str
    label: str
    count: int


class Entities(BaseModel):
    publication: Publication
    entities: list[Entity]
    next_cursor: str | None


class Mention(Entity):
    """An entity in one publication."""

    publication: Publication


class Mentions(BaseModel):
    canonical: str
    """The form on which mentions are compared."""
    mentions: list[Mention]
    next_cursor: str | None


def list_publications(reader: Reader, page: Page) -> Publications:
    """In the order of their keys."""
    collection = reader.places.publications
    asked = ("publications",)
    query = collection.order_by(NAME)
    if page.cursor:
        (after,) = decode_cursor(asked, page.cursor, tuple[DocumentId])
        query = query.start_after({NAME: collection.document(after)})
    found, more = _read(reader, query, page.limit)
    return Publications(
        publications=[_publication(document) for document in found],
        next_cursor=encode_cursor(asked, (found[-1].id,)) if more else None,
    )


def top_entities(reader: Reader, key: str, label: str | None, page: Page) -> Entities | None:
    """Most mentioned first. None when there is no such publication."""
    (publication,) = reader.get([reader.places.publication(key)])
    if not publication.exists:
        return None
    collection = reader.places.entities(key)
    asked = ("entities", key, label or "")
    query = collection.where(filter=FieldFilter("label", "==", label)) if label else collection
    query = query.order_by("count", direction=Query.DESCENDING).order_by(NAME, direction=Query.DESCENDING)
    if page.cursor:
        count, after = decode_cursor(asked, page.cursor, tuple[Count, DocumentId])
        query = query.start_after({"count": count, NAME: collection.document(after)})
    found, more = _read(reader, query, page.limit)
    return Entities(
        publication=_publication(publication),
        entities=[_entity(document) for document in found],
        next_cursor=encode_cursor(asked, (found[-1].get("count"), found[-1].id)) if more else None,
    )


def mentions(reader: Reader, canonical: str, page: Page) -> Mentions:
    """Which publications mention an entity, and how often: most mentions first, each label for itself.

    A page may hold fewer than its limit: other roots in the database are left out only here.
    """
    publications = reader.places.publications
    asked = ("mentions", canonical)
    query = reader.places.all_entities.where(filter=FieldFilter("canonical", "==", canonical))
    query = query.order_by("count", direction=Query.DESCENDING).order_by(NAME, direction=Query.DESCENDING)
    if page.cursor:
        count, path = decode_cursor(asked, page.cursor, tuple[Count, DocumentPath])
        query = query.start_after({"count": count, NAME: reader.places.client.document(path)})
    found, more = _read(reader, query, page.limit)
    ours = [document for document in found if _publication_of(document).parent == publications]
    written = reader.get([_publication_of(document) for document in ours]) if ours else []
    names = {publication.reference: _publication(publication) for publication in written}
    return Mentions(
        canonical=canonical,
        mentions=[
            Mention(publication=names[_publication_of(document)], **_entity(document).model_dump()) for document in ours
        ],
        next_cursor=encode_cursor(asked, (found[-1].get("count"), found[-1].reference.path)) if more else None,
    )


def _read(reader: Reader, query: Query, limit: int) -> tuple[list[Document], bool]:
    """`limit` documents at most, and whether there are more."""
    found = reader.find(query.limit(limit + 1))
    return found[:limit], len(found) > limit


def _publication(document: Document) -> Publication:
    fields = document.to_dict() or {}
    name = fields.get("name", document.id)
    return Publication(
        key=publication_key(name),
        name=name,
        articles=fields.get("articles", 0),
        mentions=fields.get("mentions", 0),
        updated_at=fields.get("updated_at"),
    )


def _entity(document: Document) -> Entity:
    return Entity(text=document.get("text"), label=document.get("label"), count=document.get("count"))


def _publication_of(entity: Document) -> DocumentReference:
    return entity.reference.parent.parent
