"""Which spellings are one, and what Firestore lets be an id."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.names import DOCUMENT_ID_MAX_BYTES, canonical_entity, document_id, entity_id, publication_key

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


def test_names_that_share_a_long_beginning_have_different_ids() -> None:
    """The end of a long one is a digest of all of it."""
    assert document_id("x" * 2000) != document_id("x" * 2001)
    assert document_id("é" * 1500 + "a") != document_id("é" * 1500 + "b")


def test_ids_are_readable() -> None:
    """An operator finds the document in the console."""
    assert document_id("arts/stage weekly") == "arts%2Fstage weekly"
    assert entity_id("PERSON", "angela merkel") == "PERSON:angela merkel"
