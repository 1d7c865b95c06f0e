"""A stream of news as the saver sees it: who is mentioned where, some names all day and most of them once."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate

from bench.texts import demo
from services.extractor.extract import Extractor
from services.extractor.settings import ExtractorSettings
from shared.errors import BadRecord
from shared.messages import EntityCount, ExtractedPost, Source
from shared.names import canonical_entity, publication_key
from shared.settings import load

LABELS = ("PERSON", "ORG", "GPE", "NORP", "EVENT")
FIT_STEPS = 30


@dataclass(frozen=True)
class Shape:
    """What the stream looks like. `fitted` reads the first two off the demo's articles; the rest is assumed, because
    153 articles of eight publications can't say it."""

    names_per_article: tuple[int, ...]
    """Different names in each of the articles it was fitted to; new articles draw from these."""
    names_exponent: float
    """Zipf's: the n-th most frequent name is mentioned in proportion to 1 / n ** exponent."""
    names: int = 100_000
    publications: int = 300
    publications_exponent: float = 1.0


@dataclass(frozen=True)
class Item:
    """One article: its publication and the names in it, by their rank from 0, each once."""

    publication: int
    names: tuple[int, ...]


def news(shape: Shape, count: int, seed: int = 1) -> Iterator[Item]:
    """The same articles for the same arguments."""
    randomness = random.Random(seed)
    names = list(accumulate(zipf(shape.names, shape.names_exponent)))
    publications = list(accumulate(zipf(shape.publications, shape.publications_exponent)))
    for _ in range(count):
        (publication,) = randomness.choices(range(shape.publications), cum_weights=publications)
        wanted = randomness.choice(shape.names_per_article)
        found: dict[int, None] = {}
        while len(found) < wanted:
            found |= dict.fromkeys(randomness.choices(range(shape.names), cum_weights=names, k=wanted - len(found)))
        yield Item(publication, tuple(found))


def fitted() -> Shape:
    """The shape with as many different names in as many mentions as the demo's articles have, by the shipped model."""
    extracted = Extractor(load(ExtractorSettings).extractor_model).extract([each["content"] for each in demo()])
    found = [
        {(each.label, canonical_entity(each.text)) for each in names}
        for names in extracted
        if not isinstance(names, BadRecord)
    ]
    per_article = tuple(len(names) for names in found)
    return Shape(per_article, exponent(sum(per_article), len(set().union(*found)), Shape.names))


def exponent(draws: int, different: int, names: int) -> float:
    """Zipf's exponent with which so many draws among `names` give so many different ones. Found by halving."""
    low, high = 0.0, 3.0
    for _ in range(FIT_STEPS):
        middle = (low + high) / 2
        weights = zipf(names, middle)
        total = sum(weights)
        expected = sum(1 - (1 - weight / total) ** draws for weight in weights)
        low, high = (middle, high) if expected > different else (low, middle)
    return low


def zipf(count: int, exponent: float) -> list[float]:
    """Weights of the ranks 1 to `count`, not normalised."""
    return [rank**-exponent for rank in range(1, count + 1)]


def messages(items: Sequence[Item]) -> Iterator[tuple[str, bytes]]:
    """Key and value of each as a record of the topic entities, as the extractor writes them."""
    for number, item in enumerate(items):
        post = ExtractedPost.model_construct(
            post_id=f"bench-{number}",
            publication=publication(item.publication),
            entities=[EntityCount.model_construct(text=name(each), label=label(each), count=1) for each in item.names],
            source=Source(topic_id="bench", partition=0, offset=number),
            model="bench",
            extracted_at=datetime.now(UTC),
        )
        yield publication_key(post.publication), post.model_dump_json().encode()


def publication(number: int) -> str:
    return f"Publication {number}"


def name(rank: int) -> str:
    """About as long as names are."""
    return f"Name Number {rank}"


def label(rank: int) -> str:
    return LABELS[rank % len(LABELS)]
