"""Files of articles into the gateway: several requests under way at once, answers taken in the order of the files."""

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import IO

import httpx

from cli.articles import Article, Columns, Unreadable, post_id, read_articles
from cli.enqueue import Stopped, enqueue
from cli.resume import Progress

CONNECTIONS = 4
CHUNK_POSTS = 200
CHUNK_CHARS = 2_000_000
"""Of article text in one request; a single longer article still goes alone."""

Item = Article | Unreadable
Outcomes = dict[int, str | None]


@dataclass(frozen=True)
class File:
    """A file of articles, and what tells its bytes from any other's."""

    path: Path
    digest: str
    size_bytes: int

    @classmethod
    def at(cls, path: Path) -> "File":
        with path.open("rb") as raw:
            return cls(path, hashlib.file_digest(raw, "sha256").hexdigest(), path.stat().st_size)


@dataclass(frozen=True)
class Chunk:
    """Some lines of a file that are posted together."""

    file: int
    items: list[Item]
    read_bytes: int
    """How far all the files have been read once this chunk is."""

    @property
    def articles(self) -> list[Article]:
        return [item for item in self.items if isinstance(item, Article)]


@dataclass
class Load:
    """One run over `files`; `progress` says where it begins and is kept up to date."""

    client: httpx.Client
    files: list[File]
    progress: Progress
    columns: Columns = field(default_factory=Columns)
    publication: str | None = None
    """Of articles that name none."""
    patience_seconds: float = 120.0
    """How long to go on while the gateway takes nothing."""
    refused_to: IO[str] | None = None
    """Refused articles go there as JSON lines, each with its id, so that they can be mended and loaded."""

    def run(self, stop: Event, tell: Callable[[int], None]) -> bool:
        """Loads until the end, or until `stop` is set; then it waits for the answers under way. Whether it got through.

        tell: called with the number of bytes done, whenever `progress` has moved. Raises WrongFile, and CommandError
        when the gateway takes no more; `stop` is set then, too.
        """
        under_way: deque[tuple[Chunk, Future[Outcomes]]] = deque()
        cut_short = False
        with ThreadPoolExecutor(CONNECTIONS, "load") as pool:
            try:
                for chunk in self._chunks():
                    if cut_short := stop.is_set():
                        break
                    work = pool.submit(enqueue, self.client, chunk.articles, stop, self.patience_seconds)
                    under_way.append((chunk, work))
                    if len(under_way) > CONNECTIONS:
                        self._settle(*under_way.popleft(), tell)
                while under_way:
                    self._settle(*under_way.popleft(), tell)
            except Stopped:
                return False
            finally:
                if under_way:  # those that wait for another try must not hold us up
                    stop.set()
        return not cut_short

    def _chunks(self) -> Iterator[Chunk]:
        first_file, first_line = self.progress.file, self.progress.next_line
        read_bytes = sum(file.size_bytes for file in self.files[:first_file])
        for number, file in enumerate(self.files[first_file:], first_file):
            begin = first_line if number == first_file else 1
            with file.path.open("rb") as raw:
                items = read_articles(file.path, raw, self.columns, self.publication)
                for some in _cut(_with_id(item, file.digest) for item in items if item.line >= begin):
                    yield Chunk(number, some, read_bytes + raw.tell())
            read_bytes += file.size_bytes

    def _settle(self, chunk: Chunk, work: Future[Outcomes], tell: Callable[[int], None]) -> None:
        outcomes = work.result()
        for item in chunk.items:
            why = item.problem if isinstance(item, Unreadable) else outcomes[item.line]
            if why is None:
                self.progress.accepted += 1
            else:
                self.progress.refuse(why, f"{self.files[chunk.file].path.name}:{item.line}")
                if self.refused_to is not None:
                    self.refused_to.write(_refused_line(item, why))
                    self.refused_to.flush()
        self.progress.file, self.progress.next_line = chunk.file, chunk.items[-1].line + 1
        tell(chunk.read_bytes)


def _with_id(item: Item, digest: str) -> Item:
    if isinstance(item, Article) and "id" not in item.post:
        return Article(item.line, item.post | {"id": post_id(digest, item)})
    return item


def _cut(items: Iterable[Item]) -> Iterator[list[Item]]:
    chunk: list[Item] = []
    chars = 0
    for item in items:
        chunk.append(item)
        chars += len(str(item.post.get("content"))) if isinstance(item, Article) else 0
        if len(chunk) >= CHUNK_POSTS or chars >= CHUNK_CHARS:
            yield chunk
            chunk, chars = [], 0
    if chunk:
        yield chunk


def _refused_line(item: Item, why: str) -> str:
    fields = item.post if isinstance(item, Article) else {"text": item.text}
    line = json.dumps(fields | {"line": item.line, "refused": why}, ensure_ascii=False)
    return line.encode("utf-8", "backslashreplace").decode() + "\n"
