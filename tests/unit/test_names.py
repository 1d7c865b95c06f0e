"""Which spellings are one, what Firestore lets be an id, and what clients let be a part of a path."""

import re
import unicodedata
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.names import (
    DOCUMENT_ID_MAX_BYTES,
    canonical_entity,
    document_id,
    document_id_range,
    entity_id,
    path_segment,
    publication_key,
)

text = st.text(max_size=80)
awkward = st.text(alphabet="./_%ab'’ \"the", max_size=12)


@pytest.mark.parametrize(
    "mention",
    [
        "European Union",
        "the European Union",
        "European Union's",
        "EUROPEAN UNION",
        "European\n Union’s",
        "“European Union”,",
    ],
)
def test_spellings_of_an_entity_agree(mention: str) -> None:
    """Case, articles, possessives, quotes and white space do not make another entity."""
    assert canonical_entity(mention) == "european union"


@pytest.mark.parametrize(
    ("mention", "canonical"),
    [
        ("The Hague", "hague"),
        ("Theresa May", "theresa may"),
        ("the", "the"),
        ("McDonald's", "mcdonald"),
        ("Reuters'", "reuters"),
        ("U.S.", "u.s"),
        ("O’Brien", "o’brien"),
        ("ﬁnland", "finland"),
        ("Straße", "strasse"),
        ("Α’s", "α"),
        ("«Le Monde»", "le monde"),
        ("…", ""),
        ("", ""),
        ("7-Eleven", "7-eleven"),
        ("the the Band", "band"),
    ],
)
def test_canonical_text(mention: str, canonical: str) -> None:
    """What is taken off, and what belongs to the name."""
    assert canonical_entity(mention) == canonical


@given(text | awkward)
def test_the_canonical_text_is_its_own(mention: str) -> None:
    """Canonicalising twice changes nothing: what the extractor grouped, the saver groups alike."""
    canonical = canonical_entity(mention)
    assert canonical_entity(canonical) == canonical


@given(text)
def test_a_publication_key_is_its_own(name: str) -> None:
    """The key that the API shows finds the publication again."""
    assert publication_key(publication_key(name)) == publication_key(name)


def test_spellings_of_a_publication_agree() -> None:
    """Case and white space, and the forms that look the same."""
    assert publication_key("The  Verge ") == publication_key("the verge") == publication_key("ＴＨＥ ＶＥＲＧＥ")


@given(st.one_of(text, awkward, st.text(min_size=400, max_size=2000)).filter(bool))
def test_a_document_id_is_allowed_by_firestore(name: str) -> None:
    """https://firebase.google.com/docs/firestore/quotas: no slash, not . or .., not __.*__, 1,500 bytes at most."""
    found = document_id(name)
    assert found not in {"", ".", ".."}
    assert "/" not in found
    assert not re.fullmatch(r"__.*__", found, re.DOTALL)
    assert len(found.encode()) <= DOCUMENT_ID_MAX_BYTES


@given(awkward.filter(bool), awkward.filter(bool))
def test_different_names_have_different_ids(one: str, other: str) -> None:
    """Escaping loses nothing."""
    assert (document_id(one) == document_id(other)) == (one == other)


@given(awkward.filter(bool), awkward.filter(bool))
@example(".", ".")
@example("..", ".")
@example("__a__", "__a__")
@example("__a__b", "__a__")
def test_a_range_holds_what_begins_so_and_nothing_else(name: str, prefix: str) -> None:
    """Also the names whose ids Firestore would forbid; it compares ids by their UTF-8."""
    first, last = (limit.encode() for limit in document_id_range(prefix))
    assert (first <= document_id(name).encode() <= last) == name.startswith(prefix)


@given(st.text(min_size=1), st.integers(min_value=1, max_value=400))
def test_a_range_is_allowed_by_firestore(character: str, times: int) -> None:
    """Its beginning is an id itself, however long and odd the prefix is; and what begins so is in it."""
    name = character * times
    first, last = document_id_range(name)
    assert not re.fullmatch(r"\.\.?|__.*__", first, re.DOTALL)
    assert len(first.encode()) <= DOCUMENT_ID_MAX_BYTES
    assert first.encode() <= document_id(name).encode() <= last.encode()
    assert first.encode() <= document_id(name + "x").encode() <= last.encode()


@pytest.mark.parametrize("name", [".", "..", "a/b", "%2e", "100 %", "…"])
def test_a_part_of_a_path_is_no_step(name: str) -> None:
    """Whoever resolves `.` and `..`, escaped or not, leaves it alone; the gateway finds the same publication."""
    segment = path_segment(name)
    assert "/" not in segment
    assert unquote(segment) not in {".", ".."}
    assert publication_key(unquote(segment)) == publication_key(name)


def test_names_that_share_a_long_beginning_have_different_ids() -> None:
    """The end of a long one is a digest of all of it."""
    assert document_id("x" * 2000) != document_id("x" * 2001)
    assert document_id("é" * 1500 + "a") != document_id("é" * 1500 + "b")


def test_what_is_escaped_in_an_id() -> None:
    """The control characters of Unicode's category Cc, "%" and "/"; no other character below the surrogates."""
    characters = [chr(code) for code in range(0xD800)]
    escaped = {character for character in characters if document_id(f"a{character}") != f"a{character}"}
    assert escaped == {c for c in characters if unicodedata.category(c) == "Cc"} | {"%", "/"}


def test_ids_are_readable() -> None:
    """An operator finds the document in the console."""
    assert document_id("arts/stage weekly") == "arts%2Fstage weekly"
    assert [document_id(name) for name in (".", "..", "__a__")] == [".%", "..%", "__a__%"]
    assert entity_id("PERSON", "angela merkel") == "PERSON:angela merkel"
