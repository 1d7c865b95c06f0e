import random

from hypothesis import given, settings
from hypothesis import strategies as st

from models.gazetteer import read_names
from models.passage import LABELS, Mention, Passage
from models.variation import OtherNames, in_the_case_of, recased, swapped

SEEN = OtherNames([Passage("Ada", (Mention(0, 3, label),)) for label in LABELS], lists=read_names(), listed_share=0.0)
LISTED = OtherNames([], lists=read_names(), listed_share=1.0)


@st.composite
def passages(draw: st.DrawFn) -> Passage:
    """Text of pieces that are plain (lower case), a name (Nx and digits) or a stretch to ignore (question marks)."""
    text, mentions, ignore = "", [], []
    for piece in draw(st.lists(st.from_regex(r"[a-z ]{1,5}|Nx[0-9]{0,9}|\?{1,4}", fullmatch=True), max_size=8)):
        start, text = len(text), text + piece
        if piece.startswith("N"):
            mentions.append(Mention(start, len(text), draw(st.sampled_from(LABELS))))
        if piece.startswith("?"):
            ignore.append((start, len(text)))
    return Passage(text, tuple(mentions), tuple(ignore))


@settings(deadline=None)
@given(passages(), st.sampled_from((0.0, 0.5, 1.0)), st.randoms(use_true_random=False))
def test_swapping_names_leaves_the_rest_where_it_belongs(passage: Passage, share: float, rng: random.Random) -> None:
    """The marked text is a name, old or new, with its label; what is to be ignored still covers the same text."""
    variant = swapped(passage, SEEN, share, rng)
    assert [mention.label for mention in variant.mentions] == [mention.label for mention in passage.mentions]
    names = {passage.text[start:end] for start, end, _ in passage.mentions} | {"Ada"}
    assert all(variant.text[start:end] in names for start, end, _ in variant.mentions)
    assert all(set(variant.text[start:end]) == {"?"} for start, end in variant.ignore)
    assert sum(end - start for start, end in variant.ignore) == passage.text.count("?")
    if share == 0.0:
        assert variant == passage


def test_a_name_from_the_lists_is_of_the_kind_that_it_replaces() -> None:
    """A person becomes a person of two names, a country, city or state another place, and so on."""
    passage = Passage("Ada Ek left Rome", (Mention(0, 6, "PERSON"), Mention(12, 16, "GPE")))
    variant = swapped(passage, LISTED, 1.0, random.Random(1))
    person, place = (variant.text[start:end] for start, end, _ in variant.mentions)
    lists = read_names()
    assert any(person.startswith(f"{name} ") for name in lists["first_names"])
    assert any(person.endswith(f" {name}") for name in lists["last_names"])
    assert any(place in lists[kind] for kind in ("cities", "large_cities", "countries", "place_aliases"))
    assert variant.text == f"{person} left {place}"


def test_a_person_called_by_one_word_stays_so() -> None:
    """Surnames alone are seen as often as the text has them, and a full name never becomes one."""
    for source in (
        LISTED,
        OtherNames([Passage("Bo Li Cy", (Mention(0, 5, "PERSON"), Mention(6, 8, "PERSON")))], read_names(), 0),
    ):
        rng = random.Random(1)
        assert all(" " in source.draw("PERSON", "Ada Lovelace", rng) for _ in range(20))
        one_word = [source.draw("PERSON", "Ada", rng) for _ in range(20)]
        assert sum(" " in name for name in one_word) <= 2  # some surnames of the lists are two words


def test_an_acronym_may_become_one_that_nobody_knows() -> None:
    """So that capitals among plain words are learnt as an organisation, whatever they stand for."""
    rng = random.Random(1)
    drawn = [LISTED.draw("ORG", "NATO", rng) for _ in range(200)]
    made_up = [name for name in drawn if name not in read_names()["organisations"]]
    assert 30 <= len(made_up) <= 90
    assert all(name.isupper() and 2 <= len(name) <= 5 for name in made_up)


def test_an_organisation_named_after_a_city_moves() -> None:
    """The University of Nairobi is seen in other cities; a club that is called like its city alone is not split."""
    text = "University of Nairobi"
    seen = OtherNames([Passage(text, (Mention(0, len(text), "ORG"),))], read_names(), listed_share=0.0)
    drawn = {seen.draw("ORG", "University of Nairobi", random.Random(i)) for i in range(20)}
    assert len(drawn) > 10
    assert all(name.startswith("University of ") for name in drawn)


def test_names_take_the_case_of_the_text_around_them() -> None:
    """A headline in capitals stays one; a short name in capitals is an acronym and no reason to shout."""
    assert in_the_case_of("GERMANY", "Peru") == "PERU"
    assert in_the_case_of("NATO", "Greenpeace") == "Greenpeace"
    assert in_the_case_of("angela merkel", "Ada Lovelace") == "ada lovelace"


def test_recasing_never_moves_a_mention() -> None:
    """In lower case İ has two characters, so such a text stays as it is."""
    mentions = (Mention(0, 8, "GPE"),)
    assert recased(Passage("İSTANBUL", mentions), str.lower).text == "İSTANBUL"
    assert recased(Passage("ISTANBUL", mentions), str.lower) == Passage("istanbul", mentions)
