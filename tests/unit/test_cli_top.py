"""`namedrop top` before a stand-in of the gateway's read side."""

import json

import pytest
from rich.console import Console

from cli import output
from tests.unit.command_line import CommandLine


@pytest.fixture
def counted(namedrop: CommandLine) -> CommandLine:
    """Three publications on two pages, one of them with five names."""
    namedrop.gateway.pages = {
        "/publications": [
            {"key": key, "name": key.upper(), "articles": articles, "mentions": 2 * articles}
            for key, articles in (("a/b [c]", 1), ("small", 7), ("large", 1200))
        ],
        "/publications/small/entities": [
            {"text": "Wangari Maathai", "label": "PERSON", "count": 12},
            {"text": "[bold]Nairobi", "label": "GPE", "count": 5},
            {"text": "Kofi Annan", "label": "PERSON", "count": 4},
            {"text": "Kenya", "label": "GPE", "count": 3},
            {"text": "UNEP", "label": "ORG", "count": 1},
        ],
        "/publications/large/entities": [],
        "/publications/a/b [c]/entities": [{"text": "Oslo", "label": "GPE", "count": 1}],
    }
    return namedrop


def test_publications_are_shown_with_their_top_names(counted: CommandLine) -> None:
    """The largest first, names as they are, nothing wider than the page."""
    done = counted.run("top")
    assert (done.status, done.err) == (0, "")
    words = done.out.split()
    assert words[:6] == ["publication", "articles", "mentions", "people", "organisations", "places"]
    assert [words.index(name) for name in ("LARGE", "SMALL", "A/B")] == sorted(
        words.index(name) for name in ("LARGE", "SMALL", "A/B")
    )
    assert "1,200" in words
    assert "12 Wangari Maathai" in done.out
    assert "[bold]Nairobi" in done.out
    assert all(len(line.rstrip()) <= 100 for line in done.out.splitlines())


def test_a_publication_is_found_however_it_is_written(counted: CommandLine) -> None:
    """And its names are shown as far as the limit, over several pages of the gateway's."""
    done = counted.run("top", "  SMALL ", "--limit=3")
    heading, _, *rows = [line.rsplit(maxsplit=2) for line in done.out.splitlines()]
    assert heading == ["name", "label", "mentions"]
    assert rows == [
        ["Wangari Maathai", "PERSON", "12"],
        ["[bold]Nairobi", "GPE", "5"],
        ["Kofi Annan", "PERSON", "4"],
    ]


def test_only_one_label_when_asked(counted: CommandLine) -> None:
    """In the table of publications, too."""
    assert "Nairobi" not in counted.run("top", "small", "--label=PERSON").out
    done = counted.run("top", "--label=GPE")
    assert "Kenya" in done.out
    assert "Maathai" not in done.out


def test_json_is_all_there_is_on_stdout(counted: CommandLine) -> None:
    """For scripts: what the gateway says, the names by label."""
    (entity,) = json.loads(counted.run("top", "a/b [c]", "--json").out)
    assert entity == {"text": "Oslo", "label": "GPE", "count": 1}
    _, small = json.loads(counted.run("top", "--json", "--limit=2").out)
    assert small["articles"] == 7
    assert [each["text"] for each in small["top"]["PERSON"]] == ["Wangari Maathai", "Kofi Annan"]


def test_nothing_counted_is_no_error(namedrop: CommandLine) -> None:
    """A stack that has just been started."""
    namedrop.gateway.pages = {"/publications": []}
    assert namedrop.run("top").out == "Nothing is counted yet.\n"
    assert namedrop.run("top", "--json").out == "[]\n"


def test_no_names_of_a_kind_is_no_error(counted: CommandLine) -> None:
    """And it does not say that nothing is counted at all."""
    assert counted.run("top", "small", "--label=LAW").out == "No names of the kind LAW so far.\n"


def test_on_a_terminal_the_counts_have_bars(counted: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as their counts, in the colours of their kinds."""
    screen = Console(force_terminal=True, color_system="standard", width=100, record=True)
    monkeypatch.setattr(output, "out", screen)
    counted.run("top", "small")
    bars = [line.count("█") for line in screen.export_text().splitlines()[2:]]
    assert bars == [30, 12, 10, 7, 2]


def test_an_unknown_publication_is_one_line(counted: CommandLine) -> None:
    """What the gateway says about it."""
    done = counted.run("top", "nobody")
    assert (done.status, done.out) == (1, "")
    assert done.err == "namedrop: There is no publication 'nobody'.\n"


def test_no_gateway_is_one_line(counted: CommandLine) -> None:
    """With the address that was tried."""
    done = counted.run("top", "--url=http://127.0.0.1:1")
    assert done.status == 1
    assert done.err.startswith("namedrop: No gateway answers at http://127.0.0.1:1: ")
    assert done.err.count("\n") == 1
