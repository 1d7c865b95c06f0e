"""`namedrop kafka`: Kafka's own console tools, on the running stack."""

import os
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperCommand

from cli.errors import CommandError
from cli.home import home_of
from cli.jars import kafka_classpath
from cli.java import java_command
from cli.running import nothing_runs
from cli.state import running_state

TOOLS = {
    "topics": ("org.apache.kafka.tools.TopicCommand", "List, describe, create, alter, delete topics."),
    "console-consumer": ("org.apache.kafka.tools.consumer.ConsoleConsumer", "Print records of a topic."),
    "console-producer": ("org.apache.kafka.tools.ConsoleProducer", "Write lines of text to a topic."),
    "consumer-groups": (
        "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
        "List and describe groups, reset their offsets.",
    ),
    "configs": ("kafka.admin.ConfigCommand", "Show and change settings of topics, brokers, groups."),
    "get-offsets": ("org.apache.kafka.tools.GetOffsetShell", "Print the offsets of partitions."),
    "transactions": ("org.apache.kafka.tools.TransactionsCommand", "List, describe, abort transactions."),
    "delete-records": ("org.apache.kafka.tools.DeleteRecordsCommand", "Delete records up to given offsets."),
}
RENAMED = {
    "console-consumer": {
        "--property": "--formatter-property",
        "--consumer-property": "--command-property",
        "--consumer.config": "--command-config",
    },
    "console-producer": {
        "--property": "--reader-property",
        "--producer-property": "--command-property",
        "--producer.config": "--command-config",
    },
}
"""Kafka 4.2 still takes the old names, but says on stdout, among the records, that it will not for long (KIP-1147).
Tools before 4.2, as in compose's Kafka, know only the old ones: recipes that are to work with both use those."""
OWN_ADDRESS = ("--bootstrap-server", "--bootstrap-controller", "--broker-list")
NEED_NO_BROKER = ("--help", "--version")
FLAGS = ("-Xmx256m", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


class Verbatim(TyperCommand):
    """A command whose arguments are another program's: none is parsed here, --help and -- included."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.args = args
        return args


@app.callback()
def console_tools() -> None:
    """Kafka's own console tools. Arguments go through as they are, but for names that Kafka has changed;
    --bootstrap-server is added: what KAFKA_BOOTSTRAP_SERVERS says, else the Kafka of `namedrop up`."""


def renamed(tool: str, arguments: Sequence[str]) -> list[str]:
    """The tool's arguments, with its options by their present names, as `--option value` and as `--option=value`."""
    names = RENAMED.get(tool, {})
    parted = [argument.partition("=") for argument in arguments]
    return ["".join((names.get(name, name), equals, value)) for name, equals, value in parted]


def with_bootstrap_server(arguments: Sequence[str], known: str | None) -> list[str]:
    """The tool's arguments, with the address of the `known` broker unless one is given, or none is needed.

    Raises CommandError when one is needed and none is known.
    """
    if any(argument.split("=")[0] in OWN_ADDRESS for argument in arguments):
        return list(arguments)
    if known:
        return ["--bootstrap-server", known, *arguments]
    if any(argument in NEED_NO_BROKER for argument in arguments):
        return list(arguments)
    raise CommandError(
        f"{nothing_runs(home_of(os.environ))}, or a broker with --bootstrap-server or KAFKA_BOOTSTRAP_SERVERS"
    )


def known_bootstrap_servers() -> str | None:
    """As the other commands find it: what the environment says, else the running stack's."""
    if named := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        return named
    state = running_state(home_of(os.environ))
    return state.bootstrap_servers if state else None


def _add(name: str, main_class: str, summary: str) -> None:
    @app.command(name, help=summary, cls=Verbatim)
    def tool(context: typer.Context) -> None:
        arguments = with_bootstrap_server(renamed(name, context.args), known_bootstrap_servers())
        command = java_command(main_class, kafka_classpath(), *arguments, flags=FLAGS)
        # In our place, so that input, output, signals and exit status are the tool's own.
        os.execv(command[0], command)  # noqa: S606 (no shell is wanted)


for _name, (_main_class, _summary) in TOOLS.items():
    _add(_name, _main_class, _summary)
