"""What is counted, page by page: questions to a Reader, and their answers.

A page holds what stood there when it was read, and a cursor names a place in the order. Counts only grow meanwhile: on
the way forward nothing comes twice, and what overtakes the cursor's place is left out; on the way back it is there.
Each query has its index in firestore.indexes.json.
"""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from google.cloud.firestore_v1 import CollectionReference, DocumentReference, FieldFilter, Query
from pydantic import BaseModel, Field

from services.gateway.cursor import BadCursor
from services.gateway.paging import NAME, Listing, Page, Side, turn_to
from services.gateway.store import Document, Reader
from shared.names import LAST_CHARACTER, document_id_range, publication_key

Count = Annotated[int, Field(ge=0, le=2**63 - 1)]
DocumentId = Annotated[str, Field(pattern=r"^[^/]+$")]
Cursor = Annotated[
    str | None,
    Field(description="`cursor` for the neighbouring page; null where there is none on that side, or no way there."),
]


class Order(StrEnum):
    """Of publications: by key, or those with the most articles first."""

    KEY = "key"
    ARTICLES = "articles"


class Publication(BaseModel):
    """`key` names it in paths; `name` is how it was written last."""

    key: str = Field(examples=["the harbour courier"])
    name: str = Field(examples=["The Harbour Courier"])
    articles: int = Field(examples=[1204])
    mentions: int = Field(examples=[15033])
    updated_at: datetime | None


class Publications(BaseModel):
    publications: list[Publication]
    previous_cursor: Cursor
    next_cursor: Cursor


class Entity(BaseModel):
    """`text` is a mention as it stood in an article."""

    text: str = Field(examples=["Angela Merkel"])
    label: str = Field(examples=["PERSON"])
    count: int = Field(examples=[87])


class Entities(BaseModel):
    publication: Publication
    entities: list[Entity]
    previous_cursor: Cursor
    next_cursor: Cursor


class Mention(Entity):
    """An entity in one publication."""

    publication: Publication


class Mentions(BaseModel):
    canonical: str = Field(examples=["angela merkel"])
    """The form on which mentions are compared, or how those found begin."""
    mentions: list[Mention]
    previous_cursor: Cursor
    next_cursor: Cursor


def list_publications(reader: Reader, page: Page, order: Order = Order.KEY, prefix: str = "") -> Publications:
    """prefix: how their keys begin. Those of one prefix are always in the order of their keys.

    In that order there is no way back: previous_cursor is always None.
    """
    collection = reader.places.publications
    query: Query | CollectionReference = collection
    if prefix:
        first, last = document_id_range(prefix)
        query = query.where(filter=FieldFilter(NAME, ">=", collection.document(first)))
        query = query.where(filter=FieldFilter(NAME, "<=", collection.document(last)))
    by_articles = order is Order.ARTICLES and not prefix
    listing = Listing(
        asked=("publications", prefix, Order.ARTICLES if by_articles else Order.KEY),
        query=query,
        field="articles" if by_articles else None,
        direction=Query.DESCENDING if by_articles else Query.ASCENDING,
        position=tuple[Side, Count, DocumentId] if by_articles else tuple[Literal["after"], DocumentId],
        name_parts=lambda document: (document.id,),
        document=collection.document,
    )
    turned = turn_to(reader, listing, page)
    return Publications(
        publications=[_publication(document) for document in turned.documents],
        previous_cursor=turned.previous_cursor,
        next_cursor=turned.next_cursor,
    )


def top_entities(reader: Reader, key: str, label: str | None, page: Page) -> Entities | None:
    """Most mentioned first. None when there is no such publication."""
    (publication,) = reader.get([reader.places.publication(key)])
    if not publication.exists:
        return None
    turned = turn_to(reader, _entities_of(reader, key, label), page)
    return Entities(
        publication=_publication(publication),
        entities=[_entity(document) for document in turned.documents],
        previous_cursor=turned.previous_cursor,
        next_cursor=turned.next_cursor,
    )


def top_names(reader: Reader, key: str, count: int) -> list[Entity]:
    """The first `count` of them, of a publication that is known to be there: half the questions."""
    turned = turn_to(reader, _entities_of(reader, key, None), Page(count))
    return [_entity(document) for document in turned.documents]


def _entities_of(reader: Reader, key: str, label: str | None) -> Listing:
    collection = reader.places.entities(key)
    return Listing(
        asked=("entities", key, label or ""),
        query=collection.where(filter=FieldFilter("label", "==", label)) if label else collection,
        field="count",
        direction=Query.DESCENDING,
        position=tuple[Side, Count, DocumentId],
        name_parts=lambda document: (document.id,),
        document=collection.document,
    )


def mentions(reader: Reader, canonical: str, page: Page) -> Mentions:
    """Which publications mention an entity, and how often: most mentions first, each label for itself."""
    if not canonical:
        return _nobody(page)
    query = reader.places.all_entities.where(filter=FieldFilter("canonical", "==", canonical))
    return _mentions(
        reader,
        canonical,
        page,
        Listing(
            asked=("mentions", canonical),
            query=query,
            field="count",
            direction=Query.DESCENDING,
            position=tuple[Side, Count, DocumentId, DocumentId],
            name_parts=_names_of_entity,
            document=_entity_in(reader),
            is_ours=_in_root_of(reader),
        ),
    )


def mentions_by_prefix(reader: Reader, prefix: str, page: Page) -> Mentions:
    """Who mentions the entities whose canonical form begins with `prefix`, in the order of that form."""
    if not prefix:
        return _nobody(page)
    query = reader.places.all_entities.where(filter=FieldFilter("canonical", ">=", prefix))
    return _mentions(
        reader,
        prefix,
        page,
        Listing(
            asked=("prefix", prefix),
            query=query.where(filter=FieldFilter("canonical", "<=", prefix + LAST_CHARACTER)),
            field="canonical",
            direction=Query.ASCENDING,
            position=tuple[Side, str, DocumentId, DocumentId],
            name_parts=_names_of_entity,
            document=_entity_in(reader),
            is_ours=_in_root_of(reader),
        ),
    )


def _nobody(page: Page) -> Mentions:
    """Of what is no name. Raises BadCursor: such an answer has none."""
    if page.cursor:
        raise BadCursor("This is not a cursor from an answer of ours.")
    return Mentions(canonical="", mentions=[], previous_cursor=None, next_cursor=None)


def _mentions(reader: Reader, canonical: str, page: Page, listing: Listing) -> Mentions:
    turned = turn_to(reader, listing, page)
    found = turned.documents
    written = reader.get(list({_publication_of(document) for document in found})) if found else []
    publications = {document.reference: _publication(document) for document in written}
    return Mentions(
        canonical=canonical,
        mentions=[
            Mention(publication=publications[_publication_of(document)], **_entity(document).model_dump())
            for document in found
        ],
        previous_cursor=turned.previous_cursor,
        next_cursor=turned.next_cursor,
    )


def _in_root_of(reader: Reader) -> Callable[[Document], bool]:
    """A root may lie within another: its documents are found too, and left out."""
    return lambda document: _publication_of(document).parent == reader.places.publications


def _entity_in(reader: Reader) -> Callable[[str, str], DocumentReference]:
    def reference(publication: str, entity: str) -> DocumentReference:
        found: DocumentReference = (
            reader.places.publications.document(publication).collection("entities").document(entity)
        )
        return found

    return reference


def _names_of_entity(document: Document) -> tuple[str, str]:
    return _publication_of(document).id, document.id


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
    publication: DocumentReference = entity.reference.parent.parent
    return publication
