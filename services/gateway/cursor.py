"""Where a page of results ended, as an opaque text for the client to hand back."""

import base64
import binascii
import hashlib
import json
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

Position = TypeVar("Position")


class BadCursor(ValueError):
    """Not a cursor of ours, or one of another query."""


def encode_cursor(query: tuple[str, ...], position: tuple[int | str, ...]) -> str:
    """query: what was asked for, without the paging; position: what the last result was sorted by."""
    return base64.urlsafe_b64encode(json.dumps([_mark(query), *position]).encode()).decode().rstrip("=")


def decode_cursor(query: tuple[str, ...], cursor: str, kind: type[Position]) -> Position:
    """kind: the position's type, such as tuple[int, str]. Raises BadCursor."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        mark, *position = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        found = TypeAdapter(kind).validate_json(json.dumps(position), strict=True)
    except (ValueError, TypeError, RecursionError, binascii.Error, ValidationError):
        raise BadCursor("This is not a cursor from an answer of ours.") from None
    if mark != _mark(query):
        raise BadCursor("This cursor belongs to another query: start without one.")
    return found


def _mark(query: tuple[str, ...]) -> str:
    return hashlib.sha256(json.dumps(query).encode()).hexdigest()[:8]
