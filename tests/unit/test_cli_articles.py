"""Articles out of files of every form, and what is wrong with a file said with its line."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.articles import Article, Columns, Unreadable, WrongFile, post_id, read_articles

Files = Callable[[str, bytes], Path]
NAMES = Columns()
HEADER = b"publication,content\n"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Writes a file of a name."""

    def write(name: str, data: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


def read(path: Path, columns: Columns = NAMES, publication: str | None = None) -> list[Article | Unreadable]:
    with path.open("rb") as raw:
        return list(read_articles(path, raw, columns, publication))


def only_posts(found: list[Article | Unreadable]) -> list[dict[str, Any]]:
    assert not [item for item in found if isinstance(item, Unreadable)]
    return [item.post for item in found if isinstance(item, Article)]


POST = {"publication": "Reuters", "content": "Wangari Maathai spoke.", "title": "Trees"}
AS_CSV = b"title,publication,content\nTrees,Reuters,Wangari Maathai spoke.\n"
AS_JSON = json.dumps(POST).encode() + b"\n"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", AS_CSV),
        ("a.CSV", AS_CSV),
        ("a.csv.gz", gzip.compress(AS_CSV, mtime=0)),
        ("a.jsonl", AS_JSON),
        ("a.ndjson", AS_JSON),
        ("a.jsonl.gz", gzip.compress(AS_JSON, mtime=0)),
        ("bom.csv", b"\xef\xbb\xbf" + AS_CSV),
        ("bom.jsonl", b"\xef\xbb\xbf" + AS_JSON),
        ("crlf.csv", AS_CSV.replace(b"\n", b"\r\n")),
        ("blank-lines.jsonl", b"\n" + AS_JSON + b"  \n\n"),
        ("no-last-line-end.csv", AS_CSV.rstrip()),
    ],
)
def test_every_form_gives_the_same_article(files: Files, name: str, data: bytes) -> None:
    """By the file's name, plain or compressed, with or without a byte order mark."""
    assert only_posts(read(files(name, data))) == [POST]


def test_columns_have_the_names_they_are_given(files: Files) -> None:
    """All others are left out, and so are empty ones; a number is an id as well."""
    columns = Columns(publication="paper", content="body", id="nr", title="headline", url="link", published_at="day")
    path = files("a.csv", b"nr,paper,body,headline,link,day,author\n7,Reuters,Text,Head,,2026-11-24T00:00:00Z,Ann\n")
    post = {"publication": "Reuters", "content": "Text", "id": "7", "title": "Head"}
    assert only_posts(read(path, columns)) == [post | {"published_at": "2026-11-24T00:00:00Z"}]
    line = b'{"nr": 7, "paper": "Reuters", "body": "Text", "headline": "Head", "link": null, "author": "Ann"}'
    assert only_posts(read(files("a.jsonl", line), columns)) == [post]


def test_the_publication_given_is_for_those_that_name_none(files: Files) -> None:
    """A column, where there is one and something in it, wins."""
    found = only_posts(read(files("a.csv", b"content\nText\n"), publication="Reuters"))
    assert found == [{"content": "Text", "publication": "Reuters"}]
    found = only_posts(read(files("b.csv", b"content,publication\nText,AFP\nText,\n"), publication="Reuters"))
    assert [post["publication"] for post in found] == ["AFP", "Reuters"]


def test_an_empty_content_is_left_to_the_gateway(files: Files) -> None:
    """It refuses it by the name of the field."""
    assert only_posts(read(files("a.csv", b"publication,content,title\nReuters,,\n"))) == [
        {"publication": "Reuters", "content": ""}
    ]


def test_lines_are_those_of_the_file(files: Files) -> None:
    """An article over several lines is at its first."""
    found = read(files("a.csv", HEADER + b'A,"one\ntwo\n\nfour"\nB,x\n\nC,"y\r\nz"\n'))
    assert [(item.line, item.post["content"]) for item in found if isinstance(item, Article)] == [
        (2, "one\ntwo\n\nfour"),
        (6, "x"),
        (8, "y\r\nz"),
    ]


def test_a_content_of_a_million_characters_is_read(files: Files) -> None:
    """Python's csv stops at 131,072 unless told otherwise."""
    (post,) = only_posts(read(files("a.csv", HEADER + b"A," + b"x" * 1_000_000 + b"\n")))
    assert len(post["content"]) == 1_000_000


@pytest.mark.parametrize(
    ("name", "data", "line", "problem"),
    [
        ("a.jsonl", b"{nothing\n", 1, "not JSON"),
        ("a.jsonl", b"[1]\n", 1, "not a JSON object"),
        ("a.jsonl", b'{"content": "caf\xe9"}\n', 1, "not UTF-8"),
        ("deep.jsonl", b"[" * 100_000 + b"\n", 1, "not JSON"),
        ("a.csv", HEADER + b"A,caf\xe9\n", 2, "not UTF-8"),
        ("a.csv", HEADER + b"A,x,y\n", 2, "3 cells under a header of 2"),
    ],
)
def test_what_is_no_article_is_told_with_its_line(
    files: Files, name: str, data: bytes, line: int, problem: str
) -> None:
    """And those after it are read."""
    good = b"A,good\n" if "csv" in name else AS_JSON
    first, second = read(files(name, data + good))
    assert isinstance(first, Unreadable)
    assert (first.line, first.problem) == (line, problem)
    assert isinstance(second, Article)


def test_a_damaged_file_gives_what_stands_before_the_damage(files: Files) -> None:
    """The last thing told is that there may be more."""
    rows = b"".join(b"A,%d %s\n" % (number, bytes(range(97, 123))) for number in range(20_000))
    found = read(files("a.csv.gz", gzip.compress(HEADER + rows)[:-5000]))
    assert len(found) > 100
    assert isinstance(last := found.pop(), Unreadable)
    assert "damaged" in last.problem
    assert all(isinstance(item, Article) for item in found)


def test_a_quote_that_is_never_closed_is_noticed(files: Files) -> None:
    """Before the rest of a large file is taken for one cell."""
    first, last = read(files("a.csv", HEADER + b'A,x\nA,"' + b"never closed\n" * 2_000_000))
    assert isinstance(first, Article)
    assert isinstance(last, Unreadable)
    assert last.line == 3
    assert "is a quote missing?" in last.problem


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", b"paper,content\n", "no column publication, only paper, content. Name the right ones with"),
        ("a.csv", b"", "only an empty first line"),
        ("a.csv", b"a\rb\r", "no header"),
        ("a.txt", b"", "must end in .csv, .jsonl or .ndjson"),
    ],
)
def test_a_file_that_can_give_no_articles_is_refused_as_a_whole(
    files: Files, name: str, data: bytes, message: str
) -> None:
    """With what to do about it."""
    with pytest.raises(WrongFile, match=message):
        read(files(name, data))


def test_ids_are_the_same_each_time_and_twins_have_different_ones() -> None:
    """So that a resumed load counts nothing twice, and two equal articles of a file are two posts."""
    ids = [post_id("digest", Article(line, POST)) for line in (1, 2)]
    assert ids == [post_id("digest", Article(line, dict(POST))) for line in (1, 2)]
    others = [post_id("another file", Article(1, POST)), post_id("digest", Article(1, POST | {"publication": "AFP"}))]
    assert len({*ids, *others}) == 4
    assert post_id("digest", Article(1, {"content": "\ud800"}))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))))
def test_whatever_csv_can_write_is_read_back(contents: list[str]) -> None:
    """Line ends, quotes and commas in the text included."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["publication", "content"])
    writer.writerows(["A", content] for content in contents)
    found = list(read_articles(Path("a.csv"), io.BytesIO(text.getvalue().encode()), NAMES))
    assert [post["content"] for post in only_posts(found)] == contents
