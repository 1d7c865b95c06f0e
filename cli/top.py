"""`namedrop top`: who is mentioned where, by the gateway's read side."""

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import httpx
import typer
from rich.bar import Bar
from rich.console import RenderableType
from rich.markup import escape

from cli import output
from cli.gateway import get, open_gateway
from cli.running import gateway_address
from cli.watching import refuse_json, watch
from shared.names import path_segment, publication_key

HEADINGS = {"PERSON": "people", "ORG": "organisations", "GPE": "places"}
"""The kinds of names that the table of publications has room for."""
NAMES_EACH = 3
WIDEST = 100
BEFORE_NAMES = 40
"""Columns that the first three take."""
BAR_COLUMNS = 30
PAGE = 100

Json = dict[str, Any]


def top(  # noqa: PLR0913, PLR0917 (the command's options)
    publication: Annotated[str | None, typer.Argument(help="Show its names; else all publications.")] = None,
    label: Annotated[str | None, typer.Option(help="Only names of this kind: PERSON, ORG, GPE, NORP, EVENT …")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many names, or publications.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
    again: Annotated[bool, typer.Option("--watch", "-w", help="Look again every two seconds, until Ctrl-C.")] = False,
    url: Annotated[
        str | None, typer.Option(envvar="NAMEDROP_URL", help="The gateway; by default the one of `namedrop up`.")
    ] = None,
    key: Annotated[str | None, typer.Option(envvar="NAMEDROP_API_KEY", help="Where reading needs a key.")] = None,
) -> None:
    """Show who is mentioned where."""
    with open_gateway(*gateway_address(url, key)) as client:

        def look() -> list[Json]:
            if publication is None:
                return with_names(client, publications(client, limit), [label] if label else list(HEADINGS))
            return entities(client, publication_key(publication), limit, label)

        def table(found: Sequence[Json]) -> RenderableType:
            if not found:
                return f"No names of the kind {escape(label)} so far." if label else "Nothing is counted yet."
            return publications_table(found) if publication is None else entities_table(found)

        if again:
            refuse_json(as_json=as_json)
            watch(lambda: table(look()))
        elif as_json:
            output.print_json(look())
        else:
            output.out.print(table(look()))


def publications(client: httpx.Client, limit: int | None = None) -> list[Json]:
    """Those with the most articles first, each with key, name, articles and mentions.

    All of them are read by their keys: in any other order one may move past us while it is counted.
    """
    order = {"order": "articles"} if limit else {}
    found = _pages(client, "/publications", "publications", limit or sys.maxsize, **order)
    return sorted(found, key=lambda each: (-each["articles"], each["key"]))


def entities(client: httpx.Client, key: str, limit: int, label: str | None = None) -> list[Json]:
    """A publication's names, the most mentioned first, each with text, label and count."""
    return _pages(client, f"/publications/{path_segment(key)}/entities", "entities", limit, label=label)


def with_names(client: httpx.Client, found: Sequence[Json], labels: Sequence[str]) -> list[Json]:
    """The publications, each with its top names as `top`: {label: [entity]}."""
    return [
        each | {"top": {label: entities(client, each["key"], NAMES_EACH, label) for label in labels}} for each in found
    ]


def publications_table(found: Sequence[Json]) -> RenderableType:
    """A publication a row, its top names by label; at most 100 columns wide, less where the terminal is."""
    labels = list(found[0]["top"]) if found else []
    left = min(output.out.width, WIDEST) - BEFORE_NAMES
    table = output.new_table()
    table.leading = 1
    table.add_column("publication", width=20, style="bold")
    table.add_column("articles", justify="right", no_wrap=True)
    table.add_column("mentions", justify="right", no_wrap=True)
    for label in labels:
        heading = f"[{output.LABEL_STYLES.get(label, 'default')}]{HEADINGS.get(label, escape(label))}"
        table.add_column(heading, no_wrap=True, max_width=max(8, left // len(labels) - 2))
    for each in found:
        names = (_names(entities) for entities in each["top"].values())
        table.add_row(escape(each["name"]), f"{each['articles']:,}", f"{each['mentions']:,}", *names)
    return table


def entities_table(found: Sequence[Json]) -> RenderableType:
    """A name a row; on a terminal with bars, as on the web page."""
    table = output.new_table()
    table.add_column("name", overflow="fold")
    table.add_column("label")
    table.add_column("mentions", justify="right", style="bold")
    most = max((each["count"] for each in found), default=1)
    for each in found:
        colour = output.LABEL_STYLES.get(each["label"], "default")
        bar = [Bar(most, 0, each["count"], width=BAR_COLUMNS, color=colour)] if output.out.is_terminal else []
        table.add_row(escape(each["text"]), f"[{colour}]{escape(each['label'])}", f"{each['count']:,}", *bar)
    return table


def _names(found: Sequence[Json]) -> str:
    counts = [f"{each['count']:,}" for each in found]
    width = max(map(len, counts), default=0)
    rows = zip(counts, found, strict=True)
    return "\n".join(f"[dim]{count:>{width}}[/dim] {escape(each['text'])}" for count, each in rows)


def _pages(client: httpx.Client, path: str, what: str, limit: int, **query: Any) -> list[Json]:
    found: list[Json] = []
    cursor = None
    while len(found) < limit:
        page = get(client, path, limit=min(PAGE, limit - len(found)), cursor=cursor, **query)
        found += page[what]
        cursor = page.get("next_cursor")
        if not cursor:
            break
    return found
