"""How writes and delay depend on the age at which a saver flushes: computed here; `costs` measures two of the ages."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from bench.flush import Arrival, flushed
from bench.stream import Shape, news, publication
from cli import output

AGES = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
PARTITIONS = 12
DOLLARS_PER_WRITE = 0.18 / 100_000
"""Firestore in a multi-region such as nam5; half of it in most single regions. An assumption: look up your own."""
PAGE = Path(__file__).parents[1] / "docs" / "operations.md"
CURVE = re.compile(r"(?<=<!-- cost curve -->\n).*(?=<!-- /cost curve -->)", re.DOTALL)


@dataclass(frozen=True)
class Point:
    """Of the curve, at one flush age."""

    age_seconds: float
    writes_per_article: float
    wait_mean_seconds: float

    @property
    def dollars_per_million_articles(self) -> float:
        return 1e6 * self.writes_per_article * DOLLARS_PER_WRITE


def curve(shape: Shape, articles_per_second: int, seconds: int) -> list[Point]:
    """By age, of one stream that goes on for so long."""
    arrivals = [
        Arrival(number / articles_per_second, crc32(publication(item.publication).encode()) % PARTITIONS, item)
        for number, item in enumerate(news(shape, articles_per_second * seconds))
    ]
    found = [(age, flushed(arrivals, age)) for age in AGES]
    return [Point(age, at.writes / len(arrivals), at.wait_mean_seconds) for age, at in found]


def show(points: Sequence[Point]) -> None:
    table = output.new_table("Firestore by flush age")
    for heading in HEADINGS:
        table.add_column(heading, justify="right")
    for point in points:
        table.add_row(*cells(point))
    output.out.print(table)


def keep(points: Sequence[Point]) -> None:
    """Into docs/operations.md."""
    rows = [HEADINGS, ["---:"] * len(HEADINGS), *map(cells, points)]
    text = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(CURVE.sub(lambda _: f"\n{text}\n", page), encoding="utf-8")


HEADINGS = ["flush age", "writes an article", "dollars a million articles", "mean wait", "longest wait"]


def cells(point: Point) -> list[str]:
    return [
        f"{point.age_seconds:g} s",
        f"{point.writes_per_article:.1f}",
        f"{point.dollars_per_million_articles:.1f}",
        f"{point.wait_mean_seconds:.1f} s",
        f"{point.age_seconds:g} s",
    ]
