"""Articles out of files: CSV with a header or JSON lines, as they are or as .gz, with columns of any name."""

import csv
import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

Form = Literal["csv", "jsonl"]
FORMS: dict[str, Form] = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"}
REQUIRED = ("publication", "content")
CELL_MAX_CHARS = 16 * 1024 * 1024
"""Far above what the gateway takes, so that it can say so, and low enough to notice a quote that is never closed."""


class WrongFile(Exception):
    """This file, or these options, can't give articles at all: one sentence that says what to change."""


@dataclass(frozen=True)
class Columns:
    """What the fields of a post are called in the file."""

    publication: str = "publication"
    content: str = "content"
    id: str = "id"
    title: str = "title"
    url: str = "url"
    published_at: str = "published_at"


@dataclass(frozen=True)
class Article:
    """What is to be posted, with whatever the file holds in those columns: the gateway is the judge of it."""

    line: int
    """The line, from 1, on which it begins."""
    post: dict[str, Any]


@dataclass(frozen=True)
class Unreadable:
    """Lines that are no article."""

    line: int
    problem: str
    text: str = ""


def form_of(path: Path) -> Form:
    """By its name, .gz or not. Raises WrongFile for any other."""
    form = FORMS.get(Path(path.name.removesuffix(".gz")).suffix.lower())
    if form is None:
        raise WrongFile(f"{path}: its name must end in .csv, .jsonl or .ndjson, and then in .gz if it is compressed")
    return form


def read_articles(
    path: Path, raw: BinaryIO, columns: Columns, publication: str | None = None
) -> Iterator[Article | Unreadable]:
    """The file's articles in their order; `publication` is for those that name none.

    raw: `path`, open at its beginning; its position tells how far the reading got. A file that breaks off or is
    damaged yields one last Unreadable that says so. Raises WrongFile when a needed column is not in the header.
    """
    stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if path.suffix == ".gz" else raw
    rows = _csv_rows(path, stream, columns, publication) if form_of(path) == "csv" else _json_rows(stream)
    line = 0
    try:
        for line, row in rows:
            yield row if isinstance(row, Unreadable) else Article(line, _post(row, columns, publication))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        yield Unreadable(line + 1, f"the .gz file is damaged ({error}); nothing after this was read")


def post_id(file_digest: str, article: Article) -> str:
    """An id for an article without one: the same whenever this file is loaded, another for its twin further down."""
    parts = (file_digest, article.line, article.post.get("publication"), article.post.get("content"))
    return hashlib.sha256("\n".join(map(str, parts)).encode("utf-8", "backslashreplace")).hexdigest()[:32]


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Without the byte order mark that some editors put first."""
    for number, line in enumerate(stream):
        yield line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line


def _json_rows(stream: BinaryIO) -> Iterator[tuple[int, dict[str, Any] | Unreadable]]:
    for line, data in enumerate(_lines(stream), 1):
        if data.strip():
            yield line, _json_row(line, data)


def _json_row(line: int, data: bytes) -> dict[str, Any] | Unreadable:
    try:
        row = json.loads(data.decode())
    except UnicodeDecodeError:
        return Unreadable(line, "not UTF-8", data.decode(errors="replace"))
    except (ValueError, RecursionError):
        return Unreadable(line, "not JSON", data.decode())
    return row if isinstance(row, dict) else Unreadable(line, "not a JSON object", data.decode())


def _csv_rows(
    path: Path, stream: BinaryIO, columns: Columns, publication: str | None
) -> Iterator[tuple[int, dict[str, Any] | Unreadable]]:
    csv.field_size_limit(CELL_MAX_CHARS)
    # surrogateescape: a row in another encoding is refused by itself, with its line, and the rest is read.
    reader = csv.reader(line.decode("utf-8", "surrogateescape") for line in _lines(stream))
    try:
        header: list[str] = next(reader, [])
    except csv.Error as error:
        raise WrongFile(f"{path}: its first line is no header of a CSV file ({error})") from error
    needed = [columns.content] if publication else [columns.publication, columns.content]
    if missing := [name for name in needed if name not in header]:
        raise WrongFile(
            f"{path}: there is no column {' or '.join(missing)}, only {', '.join(header) or 'an empty first line'}. "
            "Name the right ones with --content-column and --publication-column, or the publication with --publication"
        )
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield line, Unreadable(line, f"{error}: is a quote missing? Nothing after this was read")
            return
        if cells is None:
            return
        if cells:
            yield line, _csv_row(line, header, cells)


def _csv_row(line: int, header: list[str], cells: list[str]) -> dict[str, Any] | Unreadable:
    text = ",".join(cells)
    try:
        text.encode()
    except UnicodeEncodeError:
        return Unreadable(line, "not UTF-8", text.encode(errors="replace").decode())
    if len(cells) > len(header):
        return Unreadable(line, f"{len(cells)} cells under a header of {len(header)}", text)
    return dict(zip(header, cells, strict=False))


def _post(row: dict[str, Any], columns: Columns, publication: str | None) -> dict[str, Any]:
    post = {field: row[column] for field, column in asdict(columns).items() if column in row}
    if publication and not post.get("publication"):
        post["publication"] = publication
    if isinstance(post.get("id"), int):
        post["id"] = str(post["id"])
    # An empty cell is no title; but an empty content is for the gateway to refuse, by its name.
    return {field: value for field, value in post.items() if value not in (None, "") or field in REQUIRED}
