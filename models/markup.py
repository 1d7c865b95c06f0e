"""The inline markup of models/corpus, one passage a line: `[Angela Merkel](PERSON) met officials in [Frankfurt](GPE).`

Brackets mark names and never stand in text or names. Blank lines, and lines that start with #, are left out. What is
marked, and how: corpus/GUIDELINES.md.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

from models.passage import LABELS, Mention, Passage

MARKED = re.compile(r"\[([^\[\]]+)\]\(([A-Z_]+)\)")
BRACKET = re.compile(r"[\[\]]")


class MarkupError(ValueError):
    """A line that cannot be read. The message says where, what is wrong and what to write instead."""


def read_folder(folder: Path, *, held_out: bool) -> list[Passage]:
    """The passages of all text files in `folder`: the tenth that is held out of the training, or the others.

    Which passage is held out depends on its text alone, so it stays so while the corpus grows. Raises MarkupError.
    """
    passages = [
        passage for file in sorted(folder.glob("*.txt")) for passage in parse(file.read_text("utf-8"), str(file))
    ]
    return [passage for passage in passages if (crc32(passage.text.encode()) % 10 == 0) is held_out]


def parse(source: str, file: str) -> Iterator[Passage]:
    """The passages of `source`; `file` is only named in errors. Raises MarkupError."""
    for number, line in enumerate(source.split("\n"), start=1):
        if line.strip() and not line.startswith("#"):
            yield _parse_line(line.strip(), f"{file}:{number}")


def to_markup(passage: Passage) -> str:
    """The line that `parse` reads as `passage`, which must be one that a line can hold; `ignore` has no sign."""
    parts, position = [], 0
    for start, end, label in passage.mentions:
        parts.append(f"{passage.text[position:start]}[{passage.text[start:end]}]({label})")
        position = end
    return "".join(parts) + passage.text[position:]


def _parse_line(line: str, where: str) -> Passage:
    text, position = "", 0
    mentions: list[Mention] = []
    for marked in MARKED.finditer(line):
        name, label = marked.groups()
        if label not in LABELS:
            raise MarkupError(f"{where}: {name!r} has the label {label}. The labels are {', '.join(LABELS)}.")
        if name != name.strip():
            raise MarkupError(f"{where}: {name!r} has white space around it. Move it out of the brackets.")
        text += _plain(line[position : marked.start()], where)
        mentions.append(Mention(len(text), len(text) + len(name), label))
        text += name
        position = marked.end()
    return Passage(text + _plain(line[position:], where), tuple(mentions))


def _plain(text: str, where: str) -> str:
    """`text`, which stands outside of names, and so must be free of brackets."""
    if stray := BRACKET.search(text):
        raise MarkupError(
            f"{where}: {text[stray.start() : stray.start() + 20]!r} cannot be read. Names are written [name](LABEL), "
            "no bracket stands inside a name or in the text."
        )
    return text
