"""How much faster more extractors are, with the cores taken out of it: the model waits as long as it would work."""

import sys

from bench.extractor import bare_rate, extracted_rate, share_evenly
from bench.harness import Result, at_least, result, say, shown
from bench.lab import Lab, start
from bench.texts import articles, posts
from cli.service import Worker
from tests.pipeline import Pipeline

SIZES = (1, 2, 4, 8, 16)
MODEL_ARTICLES = 600
"""From which the model's time an article is taken."""
SECONDS = 10
"""Work for each extractor."""


class StubExtractor(Worker):
    """See stub_extractor.py."""

    def command(self) -> list[str]:
        super().command()
        return [sys.executable, "-m", "bench.stub_extractor"]


def measure(lab: Lab, rounds: int) -> list[Result]:
    model_rate = bare_rate(lab.sized(MODEL_ARTICLES))
    say(f"  one article: {1000 / model_rate:.1f} ms")
    found = [one_round(lab, number, model_rate) for number in range(1, rounds + 1)]
    return [
        result("scale_out.model", "ms an article", [1000 / model_rate]),
        result("scale_out.1", "articles/s", [rates[1] for rates in found]),
        *(
            result(f"scale_out.{size}", "times one", [rates[size] / rates[1] for rates in found], goal)
            for size, goal in zip(SIZES[1:], [None, None, None, at_least(15)], strict=True)
        ),
    ]


def one_round(lab: Lab, number: int, model_rate: float) -> dict[int, float]:
    """Articles a second by number of extractors: each size is the one before and as many again."""
    rates: dict[int, float] = {}
    with lab.pipeline(STUB_SECONDS=str(1 / model_rate)) as pipeline:
        for size in SIZES:
            grow(pipeline, size)
            rates[size] = extracted_rate(pipeline, posts(articles(lab.sized(size * SECONDS * model_rate))))
            say(f"  round {number}, {size} extractors: {shown(rates[size])}/s")
    return rates


def grow(pipeline: Pipeline, size: int) -> None:
    """Until there are so many, each with its part of the partitions."""
    new = [
        StubExtractor("extractor", number, pipeline.folder / f"extractor-{number}.log", pipeline.environment)
        for number in range(len(pipeline.services), size)
    ]
    pipeline.services += new
    start(new)
    share_evenly(pipeline, size)
