"""What `namedrop kafka` hands to Kafka's own tools."""

import pytest

from cli.console_tools import known_bootstrap_servers, renamed, with_bootstrap_server
from cli.errors import CommandError

RUNNING = "127.0.0.1:4711"


def test_the_running_stack_is_filled_in_and_the_rest_goes_through_as_it_is() -> None:
    """Also what a parser of ours would take for its own, such as --help and --."""
    given = ["--topic", "posts", "--property", "print.key=true", "--help", "--", "-x"]
    assert with_bootstrap_server(given, RUNNING) == ["--bootstrap-server", RUNNING, *given]


def test_options_that_kafka_has_renamed_go_by_their_new_names() -> None:
    """By the old ones it would write a warning among the records; other tools' options, and values, stay."""
    given = ["--property", "print.key=true", "--property=a=--property", "--topic", "posts"]
    assert renamed("console-consumer", given) == [
        "--formatter-property", "print.key=true", "--formatter-property=a=--property", "--topic", "posts"
    ]  # fmt: skip
    assert renamed("console-producer", ["--property", "parse.key=true"]) == ["--reader-property", "parse.key=true"]
    assert renamed("topics", given) == given


@pytest.mark.parametrize("address", [["--bootstrap-server", "elsewhere:9092"], ["--bootstrap-server=elsewhere:9092"]])
def test_an_address_that_is_given_wins(address: list[str]) -> None:
    """So that the tools work on any cluster."""
    assert with_bootstrap_server(["--list", *address], RUNNING) == ["--list", *address]


def test_the_environment_names_a_broker_as_for_the_other_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the tools reach the containers' Kafka at its published port."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", RUNNING)
    assert known_bootstrap_servers() == RUNNING


def test_without_a_stack_only_help_goes_through() -> None:
    """All else is told to start a stack or to name a broker."""
    assert with_bootstrap_server(["--help"], None) == ["--help"]
    with pytest.raises(CommandError, match="namedrop up"):
        with_bootstrap_server(["--list"], None)
