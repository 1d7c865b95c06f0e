"""What Firestore bills for: writes an article, by how long the saver lets entities wait for company.

The floor of a wait is what no saver can go below: in each window of that length a write for each publication and each
(publication, entity) in it, and one for the ledger.
"""

import time
import zlib
from collections.abc import Iterable, Sequence
from itertools import islice

from rich.console import Console
from rich.table import Table

from bench.harness import Figure, at_most, figure
from bench.site import Site, produce_keyed, wait_until
from bench.texts import news_stream
from services.saver.batch import Batch
from shared.messages import ExtractedPost
from shared.names import publication_key

ARTICLES_PER_SECOND = 100
PARTITIONS = 12
WAITS_SECONDS = (0.5, 1, 2, 5, 10, 30, 60, 300)
MEASURED_WAITS_SECONDS = (1, 30)
MEASURED_SECONDS = 60
SIMULATED_ARTICLES = 90_000
"""Three windows of the longest wait."""
DOLLARS_PER_WRITE = 0.18 / 100_000
"""Firestore's list price in a multi-region; half of it in most single regions."""


def measure(site: Site) -> list[Figure]:
    posts = list(islice(news_stream(), SIMULATED_ARTICLES))
    curve = {wait: floor(posts, wait) / len(posts) for wait in WAITS_SECONDS}
    Console().print(curve_table(curve))
    return [
        *(
            figure(f"costs: waiting {wait:g} s, at the floor", [writes], "writes/article")
            for wait, writes in curve.items()
        ),
        *(
            figure(
                f"costs: measured over the floor, waiting {wait:g} s",
                [over_the_floor(site, wait)],
                "ratio",
                at_most(1.05),
            )
            for wait in MEASURED_WAITS_SECONDS
        ),
    ]


def curve_table(writes: dict[float, float]) -> Table:
    table = Table(title=f"{ARTICLES_PER_SECOND} articles/s, {PARTITIONS} partitions")
    for column in ("BATCH_MAX_AGE_SECONDS", "writes an article", "$ a million articles", "mean delay"):
        table.add_column(column, justify="right")
    for wait, each in writes.items():
        table.add_row(f"{wait:g}", f"{each:.1f}", f"{each * 1e6 * DOLLARS_PER_WRITE:.2f}", f"{wait / 2:g} s")
    return table


def floor(posts: Sequence[ExtractedPost], wait_seconds: float) -> int:
    """Writes for `posts`, at ARTICLES_PER_SECOND, when nothing but the age closes a batch. A window begins with the
    first message of a partition behind the last window."""
    writes = 0
    open_batches: dict[int, Batch] = {}
    for number, post in enumerate(posts):
        now = number / ARTICLES_PER_SECOND
        partition = zlib.crc32(publication_key(post.publication).encode()) % PARTITIONS
        batch = open_batches.get(partition)
        if batch is None or now - batch.opened_at >= wait_seconds:
            writes += written(batch)
            batch = open_batches[partition] = Batch(now, 0, 0)
        batch.count(post)
    return writes + sum(map(written, open_batches.values()))


def written(batch: Batch | None) -> int:
    return batch.documents + 1 if batch else 0


def over_the_floor(site: Site, wait_seconds: float) -> float:
    """Writes of a real saver under a stream in real time, over the floor for as many articles."""
    count = MEASURED_SECONDS * ARTICLES_PER_SECOND
    posts = list(islice(news_stream(), count))
    with site.pipeline(
        BATCH_MAX_AGE_SECONDS=f"{wait_seconds:g}", BATCH_MAX_DOCUMENTS="10000", BATCH_MAX_POSTS="10000"
    ) as pipeline:
        pipeline.start("saver")
        produce_keyed(pipeline, "entities", in_real_time(posts))
        wait_until(lambda: pipeline.metric("saver", "namedrop_saver_posts_total") == count)
        documents = pipeline.metric("saver", "namedrop_saver_documents_total")
        ledgers = pipeline.metric("saver", "namedrop_saver_batches_total")
    return (documents + ledgers) / floor(posts, wait_seconds)


def in_real_time(posts: Iterable[ExtractedPost]) -> Iterable[tuple[str, bytes]]:
    started = time.monotonic()
    for number, post in enumerate(posts):
        time.sleep(max(0.0, started + number / ARTICLES_PER_SECOND - time.monotonic()))
        yield publication_key(post.publication), post.model_dump_json().encode()
