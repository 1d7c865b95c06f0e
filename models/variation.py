"""Variants of passages, so that the model learns how names are used and not only which names there are."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from models.passage import Mention, Passage

LISTS = {
    "GPE": ("cities", "large_cities", "countries", "place_aliases"),
    "LOC": ("regions",),
    "NORP": ("peoples",),
    "ORG": ("organisations",),
}
"""The lists of models/names whose entries are whole names of a kind. Persons are put together of two."""


class OtherNames:
    """Draws names of a kind: `listed_share` of them from lists, the rest as they occur in `passages`."""

    def __init__(self, passages: Iterable[Passage], lists: Mapping[str, Sequence[str]], listed_share: float) -> None:
        self._lists = lists
        self._listed_share = listed_share
        self._seen: dict[str, list[str]] = defaultdict(list)
        for passage in passages:
            for start, end, label in passage.mentions:
                self._seen[label].append(passage.text[start:end])

    def draw(self, label: str, rng: random.Random) -> str:
        """A name of the kind `label`, which must occur in the passages."""
        if rng.random() < self._listed_share:
            if label == "PERSON":
                return f"{rng.choice(self._lists['first_names'])} {rng.choice(self._lists['last_names'])}"
            if label in LISTS:
                return rng.choice(self._lists[rng.choice(LISTS[label])])
        return rng.choice(self._seen[label])


def swapped(passage: Passage, names: OtherNames, share: float, rng: random.Random) -> Passage:
    """`passage` with about `share` of its names exchanged for others of their kind, in the case they stood in."""
    text, position = "", 0
    mentions: list[Mention] = []
    moves: list[tuple[int, int]] = []  # from this offset on, what follows has moved by so many characters
    for start, end, label in passage.mentions:
        text += passage.text[position:start]
        name = passage.text[start:end]
        if rng.random() < share:
            name = in_the_case_of(name, names.draw(label, rng))
        mentions.append(Mention(len(text), len(text) + len(name), label))
        text += name
        moves.append((end, len(text) - end))
        position = end

    def moved(offset: int) -> int:
        return offset + next((by for since, by in reversed(moves) if since <= offset), 0)

    ignore = tuple((moved(start), moved(end)) for start, end in passage.ignore)
    return Passage(text + passage.text[position:], tuple(mentions), ignore)


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
    return Passage(text, passage.mentions, passage.ignore) if len(text) == len(passage.text) else passage
