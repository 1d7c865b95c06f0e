"""What is taken for a post, and the record that it becomes."""

import json
import re
import time
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.post import new_id, new_post_class, parse_post, record_value
from services.gateway.refusal import Refusal
from shared.messages import Post

LIMIT = 1000
KIND = new_post_class(LIMIT)
GOOD = {"publication": "The Verge", "content": "Angela Merkel"}


def refused_fields(body: bytes | dict[str, Any]) -> set[str]:
    """The fields named in the refusal of a body; "" stands for the body as a whole."""
    with pytest.raises(Refusal) as refused:
        parse_post(body if isinstance(body, bytes) else json.dumps(body).encode(), KIND)
    assert refused.value.status == 422
    assert isinstance(refused.value.detail, list)
    return {".".join(map(str, problem["loc"][1:])) for problem in refused.value.detail}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"publication": None}, "publication"),
        ({"publication": 7}, "publication"),
        ({"publication": ""}, "publication"),
        ({"publication": " \n\u2003"}, "publication"),
        ({"publication": "a\0b"}, "publication"),
        ({"publication": "x" * 1501}, "publication"),
        ({"publication": "語" * 501}, "publication"),
        ({"publication": "a" + " " * 5000 + "b"}, "publication"),
        ({"publication": "\ud800"}, "publication"),
        ({"content": None}, "content"),
        ({"content": ["a"]}, "content"),
        ({"content": True}, "content"),
        ({"content": ""}, "content"),
        ({"content": " \t\n"}, "content"),
        ({"content": "a\0b"}, "content"),
        ({"content": "x" * (LIMIT + 1)}, "content"),
        ({"content": "\udfff alone"}, "content"),
        ({"id": ""}, "id"),
        ({"id": " "}, "id"),
        ({"id": 7}, "id"),
        ({"id": "x" * 201}, "id"),
        ({"id": "\0"}, "id"),
        ({"title": "\ud800"}, "title"),
        ({"url": "x" * 2001}, "url"),
        ({"published_at": "yesterday"}, "published_at"),
        ({"published_at": "2026-13-23"}, "published_at"),
        ({"published_at": "20261123"}, "published_at"),
        ({"published_at": "1700000000"}, "published_at"),
        ({"published_at": 1_700_000_000}, "published_at"),
        ({"received_at": "2026-11-23T10:00:00Z"}, "received_at"),
        ({"extra": 1}, "extra"),
        ({"\ud800": 1}, "?"),
    ],
)
def test_a_bad_field_is_named(change: dict[str, Any], field: str) -> None:
    """Each way in which one field can be wrong."""
    assert field in {name or "?" for name in refused_fields(GOOD | change)}


@pytest.mark.parametrize("field", ["publication", "content"])
def test_a_missing_field_is_named(field: str) -> None:
    """Both are needed."""
    assert refused_fields({name: value for name, value in GOOD.items() if name != field}) == {field}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nope",
        b"[]",
        b"null",
        b'"text"',
        b'{"content": "x"',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff\xfe{\0}\0",
    ],
)
def test_what_is_no_json_object_is_refused_as_a_whole(body: bytes) -> None:
    """Also nesting that would overrun a stack."""
    assert refused_fields(body) == {""}


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_another_encoding_is_refused_and_the_field_named(encoding: str) -> None:
    """The body is UTF-8, whatever its Content-Type says."""
    assert refused_fields('{"publication": "p", "content": "café"}'.encode(encoding)) == {"content"}


def test_a_refusal_repeats_nothing_of_the_text() -> None:
    """A client's log must not hold a megabyte of article, nor ours."""
    with pytest.raises(Refusal) as refused:
        parse_post(json.dumps(GOOD | {"content": "secret" * LIMIT, "x" * 5000: "secret"}).encode(), KIND)
    assert "secret" not in json.dumps(refused.value.content)
    assert len(json.dumps(refused.value.content)) < 1000


def test_many_problems_are_cut_short() -> None:
    """Half a million unknown fields are one answer of a kilobyte or two."""
    body = GOOD | {f"x{number}": 1 for number in range(100_000)}
    with pytest.raises(Refusal) as refused:
        parse_post(json.dumps(body).encode(), KIND)
    assert len(json.dumps(refused.value.content)) < 2000


@given(
    st.fixed_dictionaries(
        {
            "publication": st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=50),
            "content": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200).map(
                lambda content: "x" + content
            ),
        },
        optional={
            "id": st.uuids().map(str),
            "title": st.none() | st.just("“Ein Titel”"),
            "published_at": st.none()
            | st.dates().map(date.isoformat)
            | st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
        },
    ),
    st.booleans(),
)
def test_the_record_is_the_post(fields: dict[str, Any], escaped: bool) -> None:
    """As it was sent, in whichever script, escaped or not; and the extractor reads it."""
    post = parse_post(json.dumps(fields, ensure_ascii=escaped).encode(), KIND)
    value = record_value(post, post.id or "made-here")
    record = json.loads(value)
    assert list(record) == ["id", "publication", "content", "title", "url", "published_at", "received_at"]
    assert (record["publication"], record["content"]) == (fields["publication"], fields["content"])
    assert record["id"] == fields.get("id", "made-here")
    assert Post.model_validate_json(value).content == fields["content"]


def test_the_record_is_compact_and_readable() -> None:
    """No spaces, no escapes: what the console consumer prints is what was written."""
    value = record_value(parse_post('{"publication": "Ñandú", "content": "日本 😀"}'.encode(), KIND), "7").decode()
    assert value.startswith('{"id":"7","publication":"Ñandú","content":"日本 😀","title":null,"url":null,')
    assert re.search(r'"received_at":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"\}$', value)


def test_ids_sort_by_time() -> None:
    """UUIDv7: two of the same millisecond may stand either way, later ones never before."""
    before = time.time_ns() // 1_000_000
    made = [UUID(new_id()) for _ in range(1000)]
    assert {each.version for each in made} == {7}
    assert len(set(made)) == 1000
    times = [each.int >> 80 for each in made]
    assert times == sorted(times)
    assert before <= times[0] <= times[-1] <= time.time_ns() // 1_000_000
