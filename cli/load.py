"""`namedrop load`: files of articles into the gateway, with a progress bar, and on from where it was stopped."""

import time
from contextlib import nullcontext
from pathlib import Path
from threading import Event
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from cli import output
from cli.articles import Columns, WrongFile, read_articles
from cli.errors import CommandError
from cli.gateway import open_gateway
from cli.loading import File, Load
from cli.resume import Progress, read_progress, state_file, write_progress
from cli.running import gateway_address
from shared.lifecycle import stop_on_signals

SAVE_EVERY_SECONDS = 1.0
INTERRUPTED = 130
GOES_ON = "The same command goes on from there."
COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    TextColumn("{task.percentage:>3.0f} %"),
    TextColumn("{task.fields[answered]:,} articles, {task.fields[rate]:,.0f} a second,"),
    TextColumn("{task.fields[refused]:,} refused,"),
    TimeRemainingColumn(),
    TextColumn("left"),
)


def load(  # noqa: PLR0913, PLR0917 (the command's options)
    files: Annotated[
        list[Path],
        typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV with a header or JSON lines; also .gz."),
    ],
    url: Annotated[
        str | None, typer.Option(envvar="NAMEDROP_URL", help="The gateway; by default the one of `namedrop up`.")
    ] = None,
    key: Annotated[str | None, typer.Option(envvar="NAMEDROP_API_KEY", help="API key for that gateway.")] = None,
    publication: Annotated[str | None, typer.Option(help="The publication of articles that name none.")] = None,
    publication_column: Annotated[str, typer.Option(help="What the file calls the publication.")] = "publication",
    content_column: Annotated[str, typer.Option(help="What the file calls the text.")] = "content",
    id_column: Annotated[
        str, typer.Option(help="What the file calls the id. An article without one gets one from file and line.")
    ] = "id",
    title_column: Annotated[str, typer.Option(help="What the file calls the title.")] = "title",
    url_column: Annotated[str, typer.Option(help="What the file calls the URL.")] = "url",
    published_at_column: Annotated[str, typer.Option(help="What the file calls the date.")] = "published_at",
    refused: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write what is refused there, as JSON lines.")
    ] = None,
    restart: Annotated[bool, typer.Option("--restart", help="Begin at the beginning, though it was stopped.")] = False,
    patience: Annotated[
        float, typer.Option(min=0, help="Seconds to go on trying while the gateway takes nothing.")
    ] = 120.0,
) -> None:
    """Load articles from files into a gateway.

    Ctrl-C stops it, and the same command goes on from there. The same article of the same file always goes under the
    same id, so that nothing is counted twice. Exit status: 0 all accepted, 1 some refused or not sent, 2 usage.
    """
    columns = Columns(publication_column, content_column, id_column, title_column, url_column, published_at_column)
    for path in files:
        _check(path, columns, publication)
    address, key = gateway_address(url, key)
    with output.err.status("Reading the files") if output.err.is_terminal else nullcontext():
        known = [File.at(path) for path in files]
    state = state_file(address, vars(columns), publication, [file.digest for file in known])
    progress = Progress() if restart else _progress_so_far(state, files)
    mode = "a" if progress.begun else "w"
    with (
        open_gateway(address, key) as client,
        refused.open(mode, encoding="utf-8") if refused else nullcontext() as refused_to,
    ):
        work = Load(client, known, progress, columns, publication, patience, refused_to)
        through = load_and_summarise(work, state)
    if not through:
        output.err.print(f"Stopped. {GOES_ON}")
        raise typer.Exit(INTERRUPTED)
    state.unlink(missing_ok=True)
    raise typer.Exit(1 if progress.refused else 0)


def load_and_summarise(work: Load, state: Path) -> bool:
    """Runs `work` until it is through or a signal stops it, and says what came of it. Whether it got through."""
    stop = stop_on_signals()
    progress = work.progress
    before, began_at = progress.accepted, time.monotonic()
    try:
        return load_with_bar(work, stop, state)
    except CommandError as error:
        raise CommandError(f"{str(error).rstrip('.')}. {GOES_ON}" if progress.begun else str(error)) from error
    finally:
        if progress.begun:
            _summarise(progress, progress.accepted - before, time.monotonic() - began_at)


def load_with_bar(work: Load, stop: Event, state: Path) -> bool:
    """Runs `work` under a progress bar and keeps `state`, so that even a kill loses no more than a second of it.

    Whether it got through.
    """
    progress = work.progress
    before, began_at, saved_at = progress.answered, time.monotonic(), 0.0
    total = sum(file.size_bytes for file in work.files)
    with Bar(*COLUMNS, console=output.err, transient=True, disable=not output.err.is_terminal) as bar:
        task = bar.add_task("Loading", total=total, answered=before, rate=0.0, refused=progress.refused.total())

        def tell(done_bytes: int) -> None:
            nonlocal saved_at
            now, answered = time.monotonic(), progress.answered
            rate = (answered - before) / (now - began_at)
            bar.update(task, completed=done_bytes, answered=answered, rate=rate, refused=progress.refused.total())
            if now - saved_at >= SAVE_EVERY_SECONDS:
                write_progress(state, progress)
                saved_at = now

        try:
            return work.run(stop, tell)
        finally:
            if progress.begun:
                write_progress(state, progress)


def _progress_so_far(state: Path, files: list[Path]) -> Progress:
    progress = read_progress(state)
    if progress.begun:
        place = f"{escape(files[progress.file].name)}:{progress.next_line}"
        output.err.print(f"Going on at {place}; --restart begins again.")
    return progress


def _check(path: Path, columns: Columns, publication: str | None) -> None:
    """Reads the beginning of a file, so that a wrong one is known before anything is sent."""
    try:
        with path.open("rb") as raw:
            next(iter(read_articles(path, raw, columns, publication)), None)
    except WrongFile as error:
        raise typer.BadParameter(str(error)) from error


def _summarise(progress: Progress, accepted: int, seconds: float) -> None:
    refused = progress.refused.total()
    before = f" ({progress.accepted:,} with what was loaded before)" if accepted < progress.accepted else ""
    rate = f"{accepted / seconds:,.0f} a second"
    output.out.print(f"{accepted:,} articles accepted in {seconds:.1f} s, {rate}{before}; {refused:,} refused.")
    if refused:
        table = output.new_table()
        table.add_column("refused", justify="right")
        table.add_column("why", overflow="fold")
        table.add_column("where, at first", overflow="fold")
        for why, count in progress.refused.most_common():
            table.add_row(f"{count:,}", escape(why), escape(", ".join(progress.refused_at[why])))
        output.out.print(table)
