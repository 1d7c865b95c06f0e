"""What spaCy trains on: passages read from files, varied anew in every epoch, as Examples."""

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from models.gazetteer import read_names
from models.markup import read_folder
from models.passage import Passage, read_jsonl
from models.variation import OtherNames, recased, swapped

WEIGHTS = {"btc": 0.5, "wnut17": 0.5}
"""How often an epoch holds a passage on average, by the first part of its source; the others stand in it once.

Tweets are three fifths of the other text, and not what readers of news have before them.
"""


def read(paths: Sequence[str], *, held_out: bool) -> list[Passage]:
    """The passages of each path: of a file of JSON lines all, of a folder of markup those held out, or the others."""
    return [
        passage
        for path in map(Path, paths)
        for passage in (read_folder(path, held_out=held_out) if path.is_dir() else read_jsonl(path))
    ]


def to_doc(passage: Passage, nlp: Language) -> Doc:
    """Tokens with the names set; what the source leaves open, or cuts through a token, is missing, not outside."""
    doc = nlp.make_doc(passage.text)
    names = [doc.char_span(*mention) for mention in passage.mentions]
    cut = [mention[:2] for mention, name in zip(passage.mentions, names, strict=True) if name is None]
    known = {token.i for name in names if name is not None for token in name}
    unclear = {
        token.i
        for start, end in (*passage.ignore, *cut)
        for token in doc.char_span(start, end, alignment_mode="expand") or ()
    }
    doc.set_ents(
        [name for name in names if name is not None],
        missing=[doc[i : i + 1] for i in sorted(unclear - known)],
        default="outside",
    )
    return doc


def passages_as_they_are(paths: Sequence[str]) -> Callable[[Language], Iterator[Example]]:
    """For evaluation: every passage once, in order, of a folder those that are held out."""

    def examples(nlp: Language) -> Iterator[Example]:
        for passage in read(paths, held_out=True):
            yield Example(nlp.make_doc(passage.text), to_doc(passage, nlp))

    return examples


def varied_passages(
    paths: Sequence[str], seed: int, swapped_share: float, listed_share: float, recased_share: float
) -> Callable[[Language], Iterator[Example]]:
    """For training: each call is one epoch, shuffled, with other names swapped in and other passages recased.

    How often an epoch holds a passage, WEIGHTS says. swapped_share of the mentions get another name, listed_share of
    those one from models/names. Of the recased passages two thirds are in lower case, the others in capitals.
    """
    rng = random.Random(seed)  # noqa: S311  to be repeatable is what it is for
    passages = read(paths, held_out=False)
    weighted = [(passage, WEIGHTS.get(passage.source.split("/")[0], 1.0)) for passage in passages]
    names = OtherNames(passages, read_names(), listed_share)

    def examples(nlp: Language) -> Iterator[Example]:
        epoch = [passage for passage, weight in weighted for _ in range(int(weight + rng.random()))]
        for passage in rng.sample(epoch, len(epoch)):
            variant = swapped(passage, names, swapped_share, rng)
            if rng.random() < recased_share:
                variant = recased(variant, rng.choice((str.lower, str.lower, str.upper)))
            yield Example(nlp.make_doc(variant.text), to_doc(variant, nlp))

    return examples
