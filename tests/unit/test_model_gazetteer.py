import numpy as np
from spacy.strings import get_string_id

from models.gazetteer import TELLS, read_names, told_by, vectors
from models.words import Words

KNOWN = Words(["rome", "fell"], np.array([1, 0], dtype="uint16"), np.array([[0.5], [-2.0]], dtype="float32"))


def test_a_list_tells_where_in_a_name_a_word_stands() -> None:
    """By itself, at the beginning, or later; stop words tell nothing unless they are written as an acronym."""
    told = told_by({"cities": ["Rome", "New Delhi", "Stoke-on-Trent"], "organisations": ["WHO", "Bank of Rome"]})
    assert told == {
        "rome": {"city", "organisation goes on"},
        "new": {"place begins"},
        "delhi": {"place goes on"},
        "stoke": {"place begins"},
        "trent": {"place goes on"},
        "who": {"organisation"},
        "bank": {"organisation begins"},
    }


def test_a_word_has_what_the_lists_tell_and_what_it_is_like() -> None:
    """A word that is only listed, or only known, has zeros in the other columns."""
    table = vectors({"cities": ["Rome", "Oslo"]}, KNOWN)
    rome, oslo, fell = (table[get_string_id(word)].tolist() for word in ("rome", "oslo", "fell"))
    assert (sum(rome[:-1]), rome[-1]) == (1.0, -2.0)
    assert oslo == [*rome[:-1], 0.0]
    assert fell == [*([0.0] * (len(rome) - 1)), 0.5]


def test_words_with_the_same_vector_share_a_row() -> None:
    """The table stays small, however long the lists are."""
    table = vectors({"cities": ["Oslo", "Bonn", "Lima"]}, KNOWN)
    assert table.n_keys == 5
    assert len(table) == 3


def test_each_list_is_known_to_the_features() -> None:
    """A list that is added to models/names without a word on what it tells would stop the training."""
    assert set(read_names()) == set(TELLS)


def test_lists_hold_each_name_once_and_in_order() -> None:
    """So that a change of a list shows as what it is; a name outside of its article, as in the corpus."""
    for kind, names in read_names().items():
        assert names == sorted(set(names)), kind
        assert all(name == name.strip() != "" for name in names), kind
    assert not [name for name in read_names()["organisations"] if name.startswith("The ")]
