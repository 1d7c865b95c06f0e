"""Answers of the read routes as /docs shows them. All have neighbours: FastAPI leaves a null out of an example."""

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from services.gateway.live import Figures
from services.gateway.queries import Entities, Entity, Mention, Mentions, Publication, Publications

COURIER = Publication(
    key="the harbour courier",
    name="The Harbour Courier",
    articles=1204,
    mentions=15033,
    updated_at=datetime(2026, 11, 23, 10, 0, 4, tzinfo=UTC),
)
LEDGER = Publication(
    key="ledger & tide",
    name="Ledger & Tide",
    articles=311,
    mentions=4127,
    updated_at=datetime(2026, 11, 23, 9, 58, 31, tzinfo=UTC),
)
NEXT = "WyI4ZjJjNGQxYSIsImFmdGVyIiw0MSwiR1BFOmhhbWJ1cmciXQ"
PREVIOUS = "WyI4ZjJjNGQxYSIsImJlZm9yZSIsODcsIlBFUlNPTjphbmdlbGEgbWVya2VsIl0"

PUBLICATIONS = Publications(publications=[COURIER, LEDGER], previous_cursor=PREVIOUS, next_cursor=NEXT)
ENTITIES = Entities(
    publication=COURIER,
    entities=[
        Entity(text="Angela Merkel", label="PERSON", count=87),
        Entity(text="the European Union", label="ORG", count=52),
        Entity(text="Hamburg", label="GPE", count=41),
    ],
    previous_cursor=PREVIOUS,
    next_cursor=NEXT,
)
MENTIONS = Mentions(
    canonical="angela merkel",
    mentions=[
        Mention(text="Angela Merkel", label="PERSON", count=87, publication=COURIER),
        Mention(text="ANGELA MERKEL", label="PERSON", count=9, publication=LEDGER),
    ],
    previous_cursor=PREVIOUS,
    next_cursor=NEXT,
)
MENTIONS_BY_PREFIX = Mentions(
    canonical="ang",
    mentions=[
        Mention(text="Angela Merkel", label="PERSON", count=87, publication=COURIER),
        Mention(text="Angola", label="GPE", count=3, publication=LEDGER),
    ],
    previous_cursor=PREVIOUS,
    next_cursor=NEXT,
)
FIGURES = Figures(posts_per_second=41.5, lag={"extractor": 12, "saver": 3}, dead_letters={"extractor": 1, "saver": 0})
SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="480" height="400" viewBox="0 0 480 400" role="img">
<text class="label-person" x="91.0" y="184.2" font-size="64" textLength="301.5">Angela Merkel</text>
</svg>"""

HEADERS = {
    "ETag": {"schema": {"type": "string"}, "description": "Send it as `If-None-Match` the next time."},
    "Cache-Control": {"schema": {"type": "string"}, "description": "How long the answer may be kept without asking."},
}
UNCHANGED = {"description": "What the client has, by its `If-None-Match`, still holds", "headers": HEADERS}


def answers(example: BaseModel) -> dict[int | str, dict[str, Any]]:
    """A read route's 200, with an example of its own, and its 304."""
    content = {"application/json": {"example": example.model_dump(mode="json")}}
    return {200: {"description": "What is counted", "headers": HEADERS, "content": content}, 304: UNCHANGED}


def picture() -> dict[int | str, dict[str, Any]]:
    """The same for a picture."""
    content = {"image/svg+xml": {"schema": {"type": "string"}, "example": SVG}}
    return {200: {"description": "The picture", "headers": HEADERS, "content": content}, 304: UNCHANGED}
