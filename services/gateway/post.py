"""A post as a client sends it, and the record that it becomes."""

import json
import random
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    create_model,
)
from pydantic_core import to_json

from services.gateway.refusal import Reason, Refusal
from shared.messages import NOT_BLANK, PostId, ShortText, not_blank, publication_name

DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
ERRORS_SHOWN = 10
NAME_SHOWN_CHARS = 100
_RANDOM = random.Random()  # noqa: S311 (ids are not secrets)
EXAMPLE = {
    "publication": "The Harbour Courier",
    "content": "Angela Merkel met the mayor of Hamburg on Tuesday.",
}


def begins_with_a_day(value: object) -> object:
    """Raises ValueError for numbers, also in text such as 20261123: pydantic would take them for seconds since 1970."""
    if not (isinstance(value, str) and DAY.match(value)):
        raise ValueError("must be text such as 2026-11-23T10:00:00Z or 2026-11-23")
    return value


PublishedAt = Annotated[
    datetime,
    Field(strict=False),  # a strict one takes no day without a time, which is all that many archives know
    BeforeValidator(begins_with_a_day),
    WithJsonSchema({"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]}),
]


class NewPost(BaseModel):
    """What a client may send; nothing else is taken. `content` gets its limit in `new_post_class`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    publication: Annotated[str, Field(max_length=2000), AfterValidator(publication_name)] = Field(
        examples=[EXAMPLE["publication"]], json_schema_extra=NOT_BLANK
    )
    """Where it appeared, in 1,500 bytes of UTF-8 at most. Upper and lower case, and how much white space, make no
    difference."""
    content: str = Field(examples=[EXAMPLE["content"]])
    """The article's text, plain: of HTML the tags would be read too."""
    id: PostId | None = None
    """Yours, for sending again: an id that was counted lately is not counted twice, nor is another text under it. Made
    here if missing."""
    title: ShortText | None = None
    """Kept with the post."""
    url: ShortText | None = None
    """Kept with the post."""
    published_at: PublishedAt | None = Field(None, examples=["2026-11-23T10:00:00Z"])
    """ISO 8601, a date with or without a time. Kept with the post."""


def new_post_class(content_max_chars: int) -> type[NewPost]:
    """NewPost with the setting's limit, so that the OpenAPI document shows it too."""
    content = NewPost.model_fields["content"]
    limited = Annotated[str, Field(max_length=content_max_chars), AfterValidator(not_blank)]
    field = Field(examples=content.examples, description=content.description, json_schema_extra=NOT_BLANK)
    return create_model("NewPost", __base__=NewPost, __doc__=NewPost.__doc__, content=(limited, field))


def parse_post(body: bytes, kind: type[NewPost]) -> NewPost:
    """Raises Refusal (422) that names each field at fault and repeats nothing of the text."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        raise Refusal(422, Reason.INVALID, problems(_with_field_names(error, body, kind))) from None


def problems(error: ValidationError, where: Sequence[str] = ("body",)) -> list[dict[str, Any]]:
    """The errors in FastAPI's shape, `[{"type", "loc", "msg"}]`, without the input: it may be megabytes."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return [
        shown_problem(problem["type"], [*where, *problem["loc"]], problem["msg"]) for problem in found[:ERRORS_SHOWN]
    ]


def shown_problem(kind: str, loc: Sequence[str | int], message: str) -> dict[str, Any]:
    """A field's name comes from the client when it is one that we don't know, so it is cut, and made fit for UTF-8."""
    names = [part if isinstance(part, int) else _printable(part[:NAME_SHOWN_CHARS]) for part in loc]
    return {"type": kind, "loc": names, "msg": message}


def new_id() -> str:
    """A UUIDv7 (RFC 9562): milliseconds since 1970, then 74 random bits, so that ids sort by time.

    The bits come from a generator that the system has seeded, once a process: asking the system each time took an
    eighth of a batch's time, and an id need only be unlike all others, not a secret.
    """
    value = (time.time_ns() // 1_000_000) << 80 | _RANDOM.getrandbits(80)
    version, variant = 0xF << 76, 0x3 << 62
    digits = f"{value & ~version & ~variant | 0x7 << 76 | 0x2 << 62:032x}"  # str(UUID(...)) takes three times as long
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def record_value(post: NewPost, post_id: str) -> bytes:
    """Compact JSON, not escaped to ASCII: DESIGN's shape of a record of `posts`."""
    return to_json(
        {
            "id": post_id,
            "publication": post.publication,
            "content": post.content,
            "title": post.title,
            "url": post.url,
            "published_at": post.published_at,
            "received_at": datetime.now(UTC),
        }
    )


def _with_field_names(error: ValidationError, body: bytes, kind: type[NewPost]) -> ValidationError:
    """Of text that is no Unicode (a lone surrogate, Latin-1), pydantic's JSON parser says only the column.

    Python's parser lets it through, and then the validation says in which field it stands.
    """
    if error.errors(include_input=False)[0]["type"] != "json_invalid":
        return error
    try:
        kind.model_validate(json.loads(body.decode("utf-8", "surrogateescape")))
    except ValidationError as named:
        return named
    except (ValueError, RecursionError):
        pass  # no JSON for anybody
    return error


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
