"""Records from the topics: what is read, what is refused, and why."""

import pytest

from shared.errors import BadRecord
from shared.messages import ExtractedPost, Post, dead_letter_headers, parse
from tests.unit.records import extracted, record


def test_a_post_needs_no_more_than_publication_and_content() -> None:
    """Everything else is optional, and fields of a later version are passed over."""
    post = parse(Post, record(b'{"publication": "Reuters", "content": "x", "new_field": 1}'))
    assert (post.publication, post.content, post.id) == ("Reuters", "x", None)


@pytest.mark.parametrize(
    ("value", "kind", "where"),
    [
        (None, "empty", "no value"),
        (b"", "empty", "no value"),
        (b"words", "not_json", "Invalid JSON"),
        (b'"\\ud800"', "not_json", "Invalid JSON"),
        (b"\xff\xfe", "not_json", "Invalid JSON"),
        (b"7", "wrong_shape", "object"),
        (b'{"publication": "Reuters"}', "wrong_shape", "content"),
        (b'{"publication": 7, "content": "x"}', "wrong_shape", "publication"),
        (b'{"publication": "Reuters", "content": ""}', "wrong_shape", "content"),
        (b'{"publication": "\\u0000", "content": "x"}', "wrong_shape", "publication"),
        (b'{"publication": "Reuters", "content": "x", "id": ""}', "wrong_shape", "id"),
        (b'{"publication": "%s", "content": "x"}' % (b"x" * 1501), "wrong_shape", "publication"),
        (b'{"publication": "Reuters", "content": "%s"}' % (b"x" * 1_000_001), "wrong_shape", "content"),
    ],
)
def test_a_bad_record_says_what_and_where(value: bytes | None, kind: str, where: str) -> None:
    """The dead letter's headers carry it."""
    with pytest.raises(BadRecord, match=where) as refusal:
        parse(Post, record(value))
    assert refusal.value.kind == kind


@pytest.mark.parametrize("change", [{"text": "…"}, {"label": ""}, {"count": 0}])
def test_an_entity_that_cannot_be_counted_is_refused(change: dict[str, object]) -> None:
    """A name without a letter, no label, a count below one."""
    message = extracted("a", (0, 0), names={"Ada": 1}).model_dump(mode="json")
    message["entities"][0] |= change
    with pytest.raises(ValueError, match="entities"):
        ExtractedPost.model_validate(message)


def test_a_dead_letter_says_where_it_came_from() -> None:
    """Enough to find the record, and the program that gave it up."""
    headers = dict(dead_letter_headers(record(b"x", 42, 7, "posts"), BadRecord("not_json", "why"), "extractor"))
    failed_at = headers.pop("failed_at")
    assert isinstance(failed_at, str)
    assert failed_at.endswith("+00:00")
    assert headers == {
        "error.type": "not_json",
        "error.message": "why",
        "source.topic": "posts",
        "source.partition": "7",
        "source.offset": "42",
        "service": "extractor",
    }
