"""Long texts in pieces: nothing lost, nothing too long, cut where a reader would pause."""

from hypothesis import given
from hypothesis import strategies as st

from services.extractor.pieces import pieces


@given(st.text(alphabet="ab. \n", max_size=300), st.integers(1, 40))
def test_pieces_are_the_whole_text_in_order(text: str, most: int) -> None:
    """Whatever the text and the limit."""
    found = list(pieces(text, most))
    assert "".join(found) == text
    assert all(0 < len(piece) <= most for piece in found)


def test_the_best_pause_in_reach_is_taken() -> None:
    """A paragraph's end before a sentence's, a sentence's before a word's, a word's before none."""
    assert next(pieces("One. Two.\n\nThree four five", 20)) == "One. Two.\n\n"
    assert next(pieces("One is here. Two is not there", 20)) == "One is here. "
    assert next(pieces("no end in sight for this one", 20)) == "no end in sight for "
    assert list(pieces("x" * 50, 20)) == ["x" * 20, "x" * 20, "x" * 10]


def test_a_short_text_is_one_piece() -> None:
    """Nothing is cut that need not be, and nothing comes of nothing."""
    assert list(pieces("Short. Text.", 20)) == ["Short. Text."]
    assert list(pieces("", 20)) == []
