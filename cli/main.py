"""`namedrop`, the command line: each command is in the file of its name."""

import sys

import typer

from cli import console_tools, demo, doctor, down, keys, load, status, stop, top, topics, up
from cli.errors import CommandError
from shared.errors import NamedropError

app = typer.Typer(
    name="namedrop",
    help="Counts who is mentioned where: news articles in, entity counts per publication out.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command()(up.up)
app.command()(down.down)
app.command()(stop.stop)
app.command()(stop.start)
app.command()(demo.demo)
app.command()(load.load)
app.command()(top.top)
app.command()(status.status)
app.command()(topics.topics)
app.command()(doctor.doctor)
app.add_typer(keys.app, name="keys")
app.add_typer(console_tools.app, name="kafka")


def main() -> int:
    """The exit status. What a user can mend is a line on stderr: 2 for wrong arguments, 1 for the rest."""
    try:
        return int(app(prog_name="namedrop", standalone_mode=False) or 0)
    except typer.TyperException as error:
        return _complain(error.format_message(), error.exit_code)
    except (CommandError, NamedropError, OSError) as error:
        return _complain(str(error), 1)
    except typer.Abort:
        return 130


def _complain(message: str, status: int) -> int:
    is_help = message.startswith("Usage:")  # of a command that was given no arguments at all
    typer.echo(message if is_help else f"namedrop: {message}", err=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
