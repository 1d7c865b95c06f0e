"""Variants of passages, so that the model learns how names are used and not only which names there are."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from string import ascii_uppercase

from models.passage import Mention, Passage

LISTS = {
    "GPE": ("cities", "large_cities", "countries", "place_aliases"),
    "LOC": ("regions",),
    "NORP": ("peoples",),
    "ORG": ("organisations",),
    "FAC": ("facilities",),
    "EVENT": ("events",),
    "PRODUCT": ("products",),
    "WORK_OF_ART": ("works",),
    "LAW": ("laws",),
}
"""The lists of models/names whose entries are whole names of a kind. Persons are put together of two."""
MADE_UP_ACRONYMS = 0.3
"""The share of acronyms of organisations that are exchanged for letters drawn at random."""


class OtherNames:
    """Draws names of a kind: `listed_share` of them from lists, the rest as they occur in `passages`.

    A person called by one word stays one, and an acronym may become one that nobody knows. In the names of
    organisations that hold a city, the city changes too.
    """

    def __init__(self, passages: Iterable[Passage], lists: Mapping[str, Sequence[str]], listed_share: float) -> None:
        self._lists = lists
        self._listed_share = listed_share
        self._cities = set(lists["large_cities"])  # among the smaller ones are University and Bank
        self._seen: dict[tuple[str, bool], list[str]] = defaultdict(list)
        for passage in passages:
            for start, end, label in passage.mentions:
                name = passage.text[start:end]
                self._seen[_sort(name, label)].append(name)

    def draw(self, label: str, name: str, rng: random.Random) -> str:
        """Another name of the kind `label`, of the sort of `name`."""
        if label == "ORG" and _is_acronym(name) and rng.random() < MADE_UP_ACRONYMS:
            return "".join(rng.choices(ascii_uppercase, k=rng.randint(2, 5)))
        if rng.random() < self._listed_share:
            if label == "PERSON":
                return self._person(" " in name, rng)
            if label in LISTS:
                return rng.choice(self._lists[rng.choice(LISTS[label])])
        drawn = rng.choice(self._seen[_sort(name, label)] or [name])
        return self._moved(drawn, rng) if label == "ORG" else drawn

    def _person(self, full: bool, rng: random.Random) -> str:
        first, last = rng.choice(self._lists["first_names"]), rng.choice(self._lists["last_names"])
        if not full:
            return last if rng.random() < 0.8 else first
        return f"{first} {rng.choice(ascii_uppercase)}. {last}" if rng.random() < 0.05 else f"{first} {last}"

    def _moved(self, name: str, rng: random.Random) -> str:
        """`name` with another city in place of the first that it holds beside other words."""
        words = name.split(" ")
        for i, word in enumerate(words):
            if word in self._cities and len(words) > 1:
                return " ".join((*words[:i], rng.choice(self._lists["large_cities"]), *words[i + 1 :]))
        return name


def swapped(passage: Passage, names: OtherNames, share: float, rng: random.Random) -> Passage:
    """`passage` with about `share` of its names exchanged for others of their kind, in the case they stood in."""
    text, position = "", 0
    mentions: list[Mention] = []
    moves: list[tuple[int, int]] = []  # from this offset on, what follows has moved by so many characters
    for start, end, label in passage.mentions:
        text += passage.text[position:start]
        name = passage.text[start:end]
        if rng.random() < share:
            name = in_the_case_of(name, names.draw(label, name, rng))
        mentions.append(Mention(len(text), len(text) + len(name), label))
        text += name
        moves.append((end, len(text) - end))
        position = end

    def moved(offset: int) -> int:
        return offset + next((by for since, by in reversed(moves) if since <= offset), 0)

    ignore = tuple((moved(start), moved(end)) for start, end in passage.ignore)
    return replace(passage, text=text + passage.text[position:], mentions=tuple(mentions), ignore=ignore)


def in_the_case_of(pattern: str, name: str) -> str:
    """`name` in lower case or in capitals when `pattern` is; NATO and UN are no pattern for capitals."""
    if pattern.islower():
        return name.lower()
    if pattern.isupper() and len(pattern) > 5:
        return name.upper()
    return name


def recased(passage: Passage, recase: Callable[[str], str]) -> Passage:
    """`passage` in another case; as it is where that changes the number of characters, as İ does."""
    text = recase(passage.text)
    return replace(passage, text=text) if len(text) == len(passage.text) else passage


def _is_acronym(name: str) -> bool:
    return name.isupper() and name.isalpha() and 2 <= len(name) <= 6


def _sort(name: str, label: str) -> tuple[str, bool]:
    """Names of one sort can stand for each other: persons by one word, or by more; of the other kinds all."""
    return label, label == "PERSON" and " " in name
