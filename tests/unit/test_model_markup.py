from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.markup import MarkupError, parse, read_folder, to_markup
from models.passage import LABELS, Mention, Passage

CORPUS = Path(__file__).parents[2] / "models" / "corpus"

plain = st.text(st.sampled_from("ab é()#\\.’"), max_size=8)
names = st.tuples(st.text(st.sampled_from("Aé()#\\’"), min_size=1, max_size=6), st.sampled_from(LABELS))


@st.composite
def passages(draw: st.DrawFn) -> Passage:
    """What a line can hold: some text, no white space around it, no brackets, no # at its beginning."""
    text, mentions = "a" + draw(plain), []
    for name, label in draw(st.lists(names, max_size=3)):
        mentions.append(Mention(len(text), len(text) + len(name), label))
        text += name + draw(plain)
    return Passage(text + ".", tuple(mentions))


@settings(deadline=None)
@given(st.lists(passages(), max_size=4))
def test_what_is_written_as_markup_is_read_back(written: list[Passage]) -> None:
    """Text and names come back as they were, and so does every offset and label."""
    source = "\n".join(to_markup(passage) for passage in written)
    assert list(parse(source, "some.txt")) == written


def test_names_are_marked_and_the_marks_are_gone() -> None:
    """The sentence of the annotation guide, with parentheses, which are text like any other."""
    (passage,) = parse("[Angela Merkel](PERSON) met officials (all of them) in [Frankfurt](GPE).\n", "some.txt")
    assert passage.text == "Angela Merkel met officials (all of them) in Frankfurt."
    assert passage.mentions == (Mention(0, 13, "PERSON"), Mention(45, 54, "GPE"))


def test_a_line_is_a_passage_unless_it_is_blank_or_a_comment() -> None:
    """A list of lines, in their order."""
    source = "# sport\n[Ajax](ORG) won.\n\n  \n#checked\n Rain fell. \n"
    assert [passage.text for passage in parse(source, "some.txt")] == ["Ajax won.", "Rain fell."]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("[Ajax](TEAM) won.", "'Ajax' has the label TEAM. The labels are PERSON, ORG,"),
        ("[Ajax ](ORG)won.", "'Ajax ' has white space around it"),
        ("So [Ajax] (ORG) won.", "'[Ajax] (ORG) won.' cannot be read"),
        ("So [Ajax](ORG won.", "'[Ajax](ORG won.' cannot be read"),
        ("So [](ORG) won.", "'[](ORG) won.' cannot be read"),
        ("The [A [Ajax](ORG) team](ORG) won.", "'[A ' cannot be read"),
        ("Ajax](ORG) won.", "'](ORG) won.' cannot be read"),
    ],
)
def test_an_error_names_file_and_line(tmp_path: Path, line: str, complaint: str) -> None:
    """A writer of the corpus finds the place without counting."""
    file = tmp_path / "sport.txt"
    file.write_text(f"# sport\n\nRain fell.\n{line}\n", encoding="utf-8")
    with pytest.raises(MarkupError) as error:
        read_folder(tmp_path, held_out=False)
    assert str(error.value).startswith(f"{file}:4: ")
    assert complaint in str(error.value)


def test_the_corpus_can_be_read_and_a_tenth_of_it_is_held_out() -> None:
    """What is held out is never trained on, and what is trained on never measured."""
    trained, held_out = (read_folder(CORPUS, held_out=held_out) for held_out in (False, True))
    assert 0.08 < len(held_out) / len(trained + held_out) < 0.12
    assert not {passage.text for passage in trained} & {passage.text for passage in held_out}
