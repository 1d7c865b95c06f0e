"""What travels between the services: JSON, so that the Kafka console tools can read, write and replay it."""

from datetime import UTC, datetime
from typing import Annotated, TypeVar, cast

from confluent_kafka import Message
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.config import JsonDict

from shared.errors import BadRecord
from shared.names import PUBLICATION_KEY_MAX_BYTES, canonical_entity, publication_key

POST_ID_MAX_CHARS = 200
CONTENT_MAX_CHARS = 1_000_000
"""spaCy's `Language.max_length`; the gateway's own limit is a setting, at most this."""
NO_NUL: JsonDict = {"pattern": "^[^\\u0000]*$"}
NOT_BLANK: JsonDict = {"pattern": "^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$"}
"""For schemas: they can't be told what validators do."""


def no_nul(text: str) -> str:
    """Raises ValueError on U+0000, which no newspaper prints and which C code along the way takes for the end."""
    if "\0" in text:
        raise ValueError("must not contain the character U+0000")
    return text


def publication_name(name: str) -> str:
    """Raises ValueError when no key can be made of the name, or one longer than Firestore allows."""
    key = publication_key(no_nul(name))
    if not key:
        raise ValueError("must not be blank")
    if len(key.encode()) > PUBLICATION_KEY_MAX_BYTES:
        raise ValueError(f"must be at most {PUBLICATION_KEY_MAX_BYTES} bytes of UTF-8")
    return name


def not_blank(text: str) -> str:
    """Raises ValueError when there is nothing to read."""
    if not text.strip():
        raise ValueError("must not be blank")
    return no_nul(text)


def nameable(text: str) -> str:
    """Raises ValueError when no entity can be made of the mention."""
    if not canonical_entity(no_nul(text)):
        raise ValueError("must hold a letter or a digit")
    return text


PublicationName = Annotated[str, AfterValidator(publication_name)]
PostId = Annotated[
    str, Field(min_length=1, max_length=POST_ID_MAX_CHARS, json_schema_extra=NOT_BLANK), AfterValidator(not_blank)
]
Content = Annotated[str, Field(max_length=CONTENT_MAX_CHARS), AfterValidator(not_blank)]
ShortText = Annotated[str, Field(max_length=2000, json_schema_extra=NO_NUL), AfterValidator(no_nul)]


class Wire(BaseModel):
    """Strict about what is there, silent about what is new: a later version may add fields."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Post(Wire):
    """A record of `posts`. What a person types into the console producer may have only `publication` and `content`."""

    publication: PublicationName
    content: Content
    id: PostId | None = None
    title: ShortText | None = None
    url: ShortText | None = None
    published_at: datetime | None = None
    received_at: datetime | None = None


class EntityCount(Wire):
    """One entity of one post: the mention as it first stood, and how often the post mentions it."""

    text: Annotated[str, AfterValidator(nameable)]
    label: str = Field(pattern=r"^[^:/\s\x00]{1,50}$")
    count: int = Field(ge=1, le=CONTENT_MAX_CHARS)


class Source(Wire):
    """Where in `posts` a post stands. The topic's id, not its name: a topic made again starts at 0 again."""

    topic_id: str = Field(min_length=1)
    partition: int = Field(ge=0)
    offset: int = Field(ge=0)


class ExtractedPost(Wire):
    """A record of `entities`. A post without entities still yields one: its article must be counted."""

    post_id: PostId
    publication: PublicationName
    entities: list[EntityCount]
    source: Source
    model: str
    extracted_at: datetime


def offset_of(record: Message) -> int:
    """A consumed record has an offset; the client's types leave it open, for those that were not sent yet."""
    return cast(int, record.offset())


def partition_of(record: Message) -> int:
    """As above, its partition."""
    return cast(int, record.partition())


WireModel = TypeVar("WireModel", bound=Wire)


def parse(kind: type[WireModel], record: Message) -> WireModel:
    """The record's value as `kind`. Raises BadRecord that says what is wrong and where."""
    value = record.value()
    if not value:
        raise BadRecord("empty", "The record has no value; a JSON object is expected")
    try:
        return kind.model_validate_json(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        bad_json = first["type"] == "json_invalid"
        raise BadRecord(
            "not_json" if bad_json else "wrong_shape", f"{where}: {first['msg']}" if where else first["msg"]
        ) from None


def dead_letter_headers(record: Message, error: BadRecord, service: str) -> list[tuple[str, str | bytes | None]]:
    """Why a record was given up, where it came from and who gave up; its key and value travel untouched."""
    return [
        ("error.type", error.kind),
        ("error.message", str(error)[:1000]),
        ("source.topic", record.topic() or ""),
        ("source.partition", str(record.partition())),
        ("source.offset", str(record.offset())),
        ("service", service),
        ("failed_at", datetime.now(UTC).isoformat()),
    ]
