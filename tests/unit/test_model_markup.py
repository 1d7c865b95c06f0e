from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.markup import MarkupError, parse, read_markup, to_markup
from models.passage import LABELS, Mention, Passage

plain = st.text(st.sampled_from("ab é[]()#\\.’"), max_size=8)
names = st.tuples(st.text(st.sampled_from("Aé[]()#\\’"), min_size=1, max_size=6), st.sampled_from(LABELS))


@st.composite
def lines(draw: st.DrawFn) -> Passage:
    """One line of text with names in it, not blank and without white space around it."""
    text, mentions = draw(plain).lstrip(), []
    for name, label in draw(st.lists(names, max_size=3)):
        mentions.append(Mention(len(text), len(text) + len(name), label))
        text += name + draw(plain)
    text = text if mentions and mentions[-1].end == len(text) else text.rstrip() + "."
    return Passage(text, tuple(mentions))


@st.composite
def passages(draw: st.DrawFn) -> Passage:
    text, mentions = "", []
    for line in draw(st.lists(lines(), min_size=1, max_size=3)):
        start = len(text) + 1 if text else 0
        text = f"{text}\n{line.text}" if text else line.text
        mentions += [Mention(start + first, start + last, label) for first, last, label in line.mentions]
    return Passage(text, tuple(mentions))


@settings(deadline=None)
@given(st.lists(passages(), max_size=4))
def test_what_is_written_as_markup_is_read_back(written: list[Passage]) -> None:
    """Brackets, backslashes and number signs in text and names survive, and so do the lines of an article."""
    source = "\n\n".join(to_markup(passage) for passage in written)
    assert list(parse(source, "some.txt")) == written


def test_names_are_marked_and_the_marks_are_gone() -> None:
    """The sentence of the annotation guide."""
    (passage,) = parse("[Angela Merkel](PERSON) met officials (all of them) in [Frankfurt](GPE).\n", "some.txt")
    assert passage.text == "Angela Merkel met officials (all of them) in Frankfurt."
    assert passage.mentions == (Mention(0, 13, "PERSON"), Mention(45, 54, "GPE"))


def test_blank_lines_part_passages_and_comments_are_left_out() -> None:
    """Lines that follow each other are one article, whatever comment stands between them."""
    source = "# sport\n[Ajax](ORG) won.\n# checked\nRain fell.\n\n\n  \n\\# 1 hit\n"
    assert [passage.text for passage in parse(source, "some.txt")] == ["Ajax won.\nRain fell.", "# 1 hit"]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("[Ajax](TEAM) won.", "'Ajax' has the label TEAM. The labels are PERSON, ORG,"),
        ("[Ajax ](ORG)won.", "'Ajax ' has white space around it"),
        ("[Ajax] (ORG) won.", "cannot read '[Ajax] (ORG) won.'"),
        ("[Ajax](ORG won.", "cannot read '[Ajax](ORG won.'"),
        ("[](ORG) won.", "cannot read '[](ORG) won.'"),
        ("[the [Ajax](ORG) team](ORG) won.", "cannot read '[the [Ajax](ORG) tea'"),
        ("Ajax](ORG) won.", "cannot read '](ORG) won.'"),
        (r"Ajax\won.", r"cannot read '\\won.'"),
    ],
)
def test_an_error_names_file_and_line(tmp_path: Path, line: str, complaint: str) -> None:
    """A writer of the corpus finds the place without counting."""
    file = tmp_path / "sport.txt"
    file.write_text(f"# sport\n\nRain fell.\n{line}\n", encoding="utf-8")
    with pytest.raises(MarkupError) as error:
        list(read_markup(file))
    assert str(error.value).startswith(f"{file}:4: ")
    assert complaint in str(error.value)
