"""`--watch` of `namedrop top` and `namedrop status`."""

from collections.abc import Callable

import pytest
from rich.console import RenderableType

from cli.errors import CommandError
from cli.watching import watch
from tests.unit.command_line import CommandLine


def looks(*seen: str | Exception) -> Callable[[], RenderableType]:
    """Each in turn, then Ctrl-C."""
    following = iter(seen)

    def look() -> RenderableType:
        try:
            found = next(following)
        except StopIteration:
            raise KeyboardInterrupt from None
        if isinstance(found, Exception):
            raise found
        return found

    return look


def test_it_looks_until_interrupted(capsys: pytest.CaptureFixture[str]) -> None:
    """The last look stays."""
    watch(looks("one", "two", "three"), every_seconds=0)
    assert "three" in capsys.readouterr().out


def test_a_look_that_fails_is_told_and_the_watching_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    """The gateway may start again meanwhile."""
    watch(looks("one", CommandError("No gateway answers"), "three"), every_seconds=0)
    assert "three" in capsys.readouterr().out


def test_a_first_look_that_fails_is_an_error() -> None:
    """There is nothing to watch."""
    with pytest.raises(CommandError):
        watch(looks(CommandError("No gateway answers")), every_seconds=0)


def test_json_is_for_scripts(namedrop: CommandLine) -> None:
    """And they ask again by themselves."""
    done = namedrop.run("top", "--json", "--watch")
    assert done.status == 2
    assert "--watch is for people" in done.err
