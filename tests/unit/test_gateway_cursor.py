"""Cursors: they come back as they went, and nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.cursor import BadCursor, decode_cursor, encode_cursor
from services.gateway.queries import Count, DocumentId

QUERY = ("entities", "the verge", "PERSON")
text = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)


@given(
    st.integers(0, 2**63 - 1),
    st.text(alphabet=st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1),
)
def test_a_cursor_comes_back_as_it_went(count: int, document: str) -> None:
    """Whatever the document's id; and it fits into a URL unquoted."""
    cursor = encode_cursor(QUERY, (count, document))
    assert decode_cursor(QUERY, cursor, tuple[Count, DocumentId]) == (count, document)
    assert cursor.replace("-", "").replace("_", "").isalnum()


@given(text, text)
def test_a_cursor_of_another_query_is_refused(key: str, label: str) -> None:
    """It would begin somewhere, and the client would not notice."""
    other = ("entities", key, label)
    cursor = encode_cursor(other, (1, "x"))
    if other != QUERY:
        with pytest.raises(BadCursor, match="another query"):
            decode_cursor(QUERY, cursor, tuple[Count, DocumentId])


@given(st.text(max_size=60))
def test_nothing_else_is_taken_for_a_cursor(cursor: str) -> None:
    """Any text at all is a BadCursor and no other error."""
    with pytest.raises(BadCursor):
        decode_cursor(QUERY, cursor, tuple[Count, DocumentId])


@pytest.mark.parametrize("position", [(), (1,), ("1", "x"), (-1, "x"), (2**63, "x"), (1, ""), (1, "a/b"), (1, "x", 2)])
def test_a_forged_position_is_refused(position: tuple[int | str, ...]) -> None:
    """Firestore's client would raise on some of these."""
    with pytest.raises(BadCursor):
        decode_cursor(QUERY, encode_cursor(QUERY, position), tuple[Count, DocumentId])
