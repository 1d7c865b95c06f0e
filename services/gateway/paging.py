"""A query's results page by page, forwards and backwards.

A cursor names the place between two results by what they are sorted by, so it holds whatever is written meanwhile.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from google.cloud.firestore_v1 import CollectionReference, DocumentReference, Query

from services.gateway.cursor import decode_cursor, encode_cursor
from services.gateway.store import Document, Reader

NAME = "__name__"
"""Firestore's name for a document's path in queries; the second key of every order, so that no two are equal."""
OPPOSITE = {Query.ASCENDING: Query.DESCENDING, Query.DESCENDING: Query.ASCENDING}

Side = Literal["after", "before"]
"""Where a cursor's page lies: behind the result that it names, or before it."""


@dataclass(frozen=True)
class Page:
    """Which part of the results: `limit` of them, beside the cursor; the first ones without it."""

    limit: int
    cursor: str | None = None


@dataclass(frozen=True)
class Turned:
    """One page, and the cursors of its neighbours where it has any."""

    documents: list[Document]
    previous_cursor: str | None
    next_cursor: str | None


@dataclass(frozen=True)
class Listing:
    """What is listed, in which order, and how a cursor names one of the results."""

    asked: tuple[str, ...]
    """What the client asked for: a cursor is good for that only."""
    query: Query | CollectionReference
    """Not sorted yet."""
    field: str | None
    """It is sorted by this, and then by path; None is by path alone, and forwards only: Firestore reads no keys
    backwards."""
    direction: str
    position: Any
    """A cursor's type: tuple[Side, the field's value, the parts of the name …]."""
    name_parts: Callable[[Document], tuple[str, ...]]
    document: Callable[..., DocumentReference]
    """The one of these name parts."""
    is_ours: Callable[[Document], bool] = lambda _document: True
    """Others are left out."""


def turn_to(reader: Reader, listing: Listing, page: Page) -> Turned:
    """Raises BadCursor."""
    side, start = "after", []
    if page.cursor:
        side, *start = decode_cursor(listing.asked, page.cursor, listing.position)
    found, more = _read(reader, listing, _sorted(listing, backwards=side == "before", start=start), page.limit)
    if side == "before":
        found.reverse()
        has_previous, has_next = more, bool(found)
    else:
        has_previous, has_next = bool(found and page.cursor and listing.field), more
    return Turned(
        found,
        previous_cursor=_cursor(listing, "before", found[0]) if has_previous else None,
        next_cursor=_cursor(listing, "after", found[-1]) if has_next else None,
    )


def _sorted(listing: Listing, *, backwards: bool, start: list[Any]) -> Query:
    """From behind `start`, if there is any."""
    direction = OPPOSITE[listing.direction] if backwards else listing.direction
    fields = [listing.field] if listing.field else []
    query = listing.query
    for field in fields:
        query = query.order_by(field, direction=direction)
    query = query.order_by(NAME, direction=direction)
    if not start:
        return query
    values = dict(zip(fields, start, strict=False))
    return query.start_after(values | {NAME: listing.document(*start[len(fields) :])})


def _read(reader: Reader, listing: Listing, query: Query, limit: int) -> tuple[list[Document], bool]:
    """`limit` documents of ours at most, and whether there are more."""
    ours: list[Document] = []
    while True:
        found = reader.find(query.limit(limit + 1))
        ours += filter(listing.is_ours, found)
        if len(ours) > limit or len(found) <= limit:
            return ours[:limit], len(ours) > limit
        query = query.start_after(found[-1])


def _cursor(listing: Listing, side: Side, document: Document) -> str:
    value = (document.get(listing.field),) if listing.field else ()
    return encode_cursor(listing.asked, (side, *value, *listing.name_parts(document)))
