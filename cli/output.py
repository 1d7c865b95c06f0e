"""Where the commands write: `out` for what was asked for, `err` for progress; in a pipe both are plain text."""

import json
import sys
from typing import Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

PIPE_COLUMNS = 100

out = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_COLUMNS)
err = Console(highlight=False, width=None if sys.stderr.isatty() else PIPE_COLUMNS, stderr=True)


LABEL_STYLES = {
    "PERSON": "blue",
    "ORG": "yellow",
    "GPE": "green",
    "LOC": "green",
    "NORP": "magenta",
    "EVENT": "red",
    "PRODUCT": "cyan",
    "FAC": "cyan",
}
"""Colours of the commonest kinds of names, about those of the web page."""


def new_table(title: str = "") -> Table:
    """A table in the one style of all commands."""
    return Table(
        title=title or None,
        title_justify="left",
        title_style="bold",
        header_style="dim",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )


def print_json(value: Any) -> None:
    """For scripts: UTF-8, indented, nothing else on stdout."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
