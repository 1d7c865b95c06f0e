"""The figures as a table for the terminal and for README.md."""

import re
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from bench.harness import Figure

FIGURES = re.compile(r"(?<=<!-- figures -->\n).*(?=<!-- /figures -->)", re.DOTALL)


def table(title: str, figures: Sequence[Figure]) -> Table:
    shown = Table(title=title)
    for column in ("figure", "value", "unit", "goal", "holds", "rounds"):
        shown.add_column(column)
    for each in figures:
        row = columns(each.document())
        shown.add_row(*row)
    return shown


def columns(result: dict[str, Any]) -> tuple[str, str, str, str, str, str]:
    """Of a row, as text."""
    holds = {True: "yes", False: "no", None: ""}[result["holds"]]
    rounds = ", ".join(f"{each:.4g}" for each in result["rounds"]) + (" (disturbed)" if result["disturbed"] else "")
    return result["name"], f"{result['value']:.4g}", result["unit"], result["goal"] or "", holds, rounds


def merged(earlier: Sequence[dict[str, Any]], now: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Results of the measurements that were run now replace the earlier ones of the same measurement."""
    measured = {measurement(each) for each in now}
    return sorted([each for each in earlier if measurement(each) not in measured] + list(now), key=measurement)


def measurement(result: dict[str, Any]) -> str:
    """What stands before the colon of its name."""
    return str(result["name"]).partition(":")[0]


def in_readme(text: str, results: Sequence[dict[str, Any]]) -> str:
    """`text` with the table between its marks."""
    rows = [f"| {' | '.join(columns(each))} |" for each in results]
    lines = ["", "| figure | value | unit | goal | holds | rounds |", "|---|--:|---|---|---|---|", *rows, "", ""]
    return FIGURES.sub(lambda _: "\n".join(lines), text)
