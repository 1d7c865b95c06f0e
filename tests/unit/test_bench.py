"""The pure parts of the benchmarks: medians, goals, merging, the stream and the least that it costs."""

import json
from itertools import pairwise
from typing import Any

import pytest

from bench.flush import Arrival, flushed
from bench.gateway import growth
from bench.harness import at_least, at_most, disturbed, interleaved, ratios, result
from bench.kafka import steady_rate
from bench.report import markdown, merged
from bench.stream import Item, Shape, exponent, messages, news
from bench.texts import articles

SHAPE = Shape(names_per_article=(3, 20), names_exponent=0.9, names=1000, publications=10)


def test_a_result_is_the_median_of_its_rounds() -> None:
    """And says whether the goal holds, by that median."""
    made = result("x.y", "of z", [0.9, 1.0, 0.8], at_least(0.85))
    assert (made.value, made.goal, made.holds, made.rounds) == (0.9, "at least 0.85", True, [0.9, 1.0, 0.8])
    assert result("x.y", "s", [2.5], at_most(2)).holds is False
    assert result("x.y", "s", [2.5]).holds is None


def test_a_round_far_from_the_median_is_named_as_disturbed() -> None:
    """By its number, from 1."""
    assert disturbed([1.0, 1.05, 0.97]) == []
    assert disturbed([1.0, 1.02, 1.3, 0.5]) == [3, 4]
    assert disturbed([0.7]) == []


def test_measures_take_turns() -> None:
    """A B A B, so that a slow minute harms both."""
    order: list[str] = []

    def measure(name: str) -> float:
        order.append(name)
        return float(len(order))

    found = interleaved(2, {"a": lambda: measure("a"), "b": lambda: measure("b")})
    assert order == ["a", "b", "a", "b"]
    assert found == {"a": [1.0, 3.0], "b": [2.0, 4.0]}
    assert ratios(found["b"], found["a"]) == [2.0, 4 / 3]


def test_new_results_replace_those_of_the_benchmarks_that_ran() -> None:
    """All of such a benchmark's old ones go, also those under names that it no longer gives; the others stay."""

    def named(*names: str) -> list[dict[str, Any]]:
        return [{"name": name, "value": 1} for name in names]

    old = named("gateway.a", "gateway.gone", "gateway_like.a", "saver.a")
    after = merged(old, [{"name": "gateway.a", "value": 2}], {"gateway"})
    assert sorted(each["name"] for each in after) == ["gateway.a", "gateway_like.a", "saver.a"]
    assert {"name": "gateway.a", "value": 2} in after


def test_the_page_shows_each_result() -> None:
    """With its goal, whether that holds, and which rounds were disturbed."""
    made = {"name": "a.b", "value": 0.5, "unit": "of c", "goal": "at least 0.8", "holds": False}
    machine = {"cpu": "CPU", "cores": 2, "memory_gib": 23.5, "system": "Linux", "load_average": 0.1}
    versions = {"python": "3.11", "spacy": "3.8.7", "confluent-kafka": "2.16.1"}
    results = [{**made, "rounds": [0.5, 0.9], "disturbed": [2]}]
    page = markdown({"machine": machine, "versions": versions, "commit": "abc", "results": results})
    assert "| a.b | 0.5 | of c | at least 0.8 | **no** | 0.5, 0.9 (disturbed) |" in page


def test_the_texts_are_always_the_same_and_all_different() -> None:
    """Both sides of a ratio read the same, in processes of their own."""
    some = articles(400)
    assert some == articles(400)
    assert some[:50] == articles(50)
    assert len({article["content"] for article in some}) > 350


def test_the_stream_is_always_the_same() -> None:
    """For the same shape and seed, however many are taken."""
    items = list(news(SHAPE, 100))
    assert items == list(news(SHAPE, 200))[:100]
    assert items != list(news(SHAPE, 100, seed=2))
    assert {len(item.names) for item in items} == {3, 20}
    assert all(len(set(item.names)) == len(item.names) for item in items)


def test_the_exponent_gives_as_many_different_names_as_it_was_fitted_to() -> None:
    """Few different ones mean a steep curve."""
    assert exponent(1000, 1000, 100_000) < 0.5
    assert [steep > flat for flat, steep in pairwise(exponent(1000, each, 5000) for each in (700, 400, 100))] == [
        True
    ] * 2


def test_a_message_of_the_stream_reads_as_the_extractors() -> None:
    """Key, name and label."""
    ((key, value),) = messages([Item(publication=3, names=(0, 7))])
    post = json.loads(value)
    assert (key, post["publication"]) == ("publication 3", "Publication 3")
    assert [entity["label"] for entity in post["entities"]] == ["PERSON", "GPE"]


def test_the_least_is_each_pair_publication_and_ledger_once_a_window() -> None:
    """Windows begin with a partition's first article, and are each partition's own."""
    one, other = Item(0, (1, 2)), Item(1, (1,))
    arrivals = [Arrival(0.0, 0, one), Arrival(0.5, 0, one), Arrival(0.6, 0, other), Arrival(0.7, 1, other)]
    assert flushed(arrivals, 1.0).writes == (3 + 2 + 1) + (1 + 1 + 1)
    assert flushed([*arrivals, Arrival(1.0, 0, one)], 1.0).writes == 6 + 3 + (2 + 1 + 1)
    assert flushed(arrivals, 1.0).wait_mean_seconds == pytest.approx((1.0 + 0.5 + 0.4 + 1.0) / 4)


def test_the_steady_rate_leaves_out_both_ends() -> None:
    """Bursts of ten a second; the first comes late, and the last ones dribble."""
    bursts = [second for second in range(10, 110) for _ in range(10)]
    assert steady_rate([0.0, *bursts, 200.0, 300.0]) == pytest.approx(10)


def test_growth_compares_the_peaks_of_both_halves() -> None:
    """1 is flat."""
    assert growth([100, 120, 110, 120]) == 1.0
    assert growth([100, 100, 150, 200]) == 2.0
