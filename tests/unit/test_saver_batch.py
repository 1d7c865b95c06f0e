"""What a batch adds up to, and where it is cut."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.saver.batch import Batch
from services.saver.ledger import Ledger
from services.saver.partition import Closed, Limits, Partition, Standing
from services.saver.store import Version
from shared.messages import ExtractedPost
from tests.unit.records import extracted, record

FOREVER = float("inf")
NAMES = st.dictionaries(st.sampled_from(["Ada", "the Ada", "ADA's", "Bo", "Cy", "Di", "Ed"]), st.integers(1, 3))
POSTS = st.lists(st.tuples(st.sampled_from(["Reuters", "REUTERS", "The Verge"]), NAMES), max_size=30)


def closed_batches(posts: list[ExtractedPost], limits: Limits) -> list[Closed]:
    """The commits that the posts, taken in one go, end up in."""
    partition = Partition(0, limits)
    partition.found(Standing("topic", Ledger(), Version(None)), 0)
    for offset, post in enumerate(posts):
        partition.take(record(post.model_dump_json().encode(), offset), now=0.0)
    found = []
    while (closed := partition.next_commit(FOREVER)) is not None:
        found.append(closed)
        partition.saved(Version(None))
    return found


def totals(batches: list[Batch]) -> Counter[tuple[str, ...]]:
    """Articles, mentions and entity counts of all the batches together."""
    counts: Counter[tuple[str, ...]] = Counter()
    for batch in batches:
        for key, publication in batch.publications.items():
            counts[key, "articles"] += publication.articles
            counts[key, "mentions"] += publication.mentions
            for (label, canonical), count in publication.entities.items():
                counts[key, label, canonical] += count
    return counts


@given(POSTS, st.integers(1, 6), st.integers(1, 8))
def test_however_it_is_cut_the_sum_is_the_same(
    posts: list[tuple[str, dict[str, int]]], max_posts: int, max_documents: int
) -> None:
    """No commit over the limits but a single message too large for them; the last ledger stands behind everything."""
    messages = [
        extracted(f"id{number}", (0, number), publication, names) for number, (publication, names) in enumerate(posts)
    ]
    cut = closed_batches(messages, Limits(max_posts, max_documents, age_seconds=1))
    whole = closed_batches(messages, Limits(1000, 1000, age_seconds=1))
    assert totals([each.batch for each in cut]) == totals([each.batch for each in whole])
    assert all(each.batch.messages <= max_posts for each in cut)
    assert all(each.batch.documents <= max_documents or each.batch.posts == 1 for each in cut)
    assert [each.next_offset for each in cut[-1:]] == [len(messages)] * bool(messages)


def test_the_text_shown_is_the_mention_as_it_most_often_stood() -> None:
    """Not the canonical form, and not whichever came last."""
    (closed,) = closed_batches(
        [
            extracted("a", (0, 0), names={"the EU": 2}),
            extracted("b", (0, 1), names={"EU": 3}),
            extracted("c", (0, 2), names={"EU's": 1}),
        ],
        Limits(10, 10, 1),
    )
    publication = closed.batch.publications["reuters"]
    assert publication.entities == {("PERSON", "eu"): 6}
    assert publication.text(("PERSON", "eu")) == "EU"


def test_a_post_without_entities_counts_as_an_article() -> None:
    """Its publication's document is written all the same."""
    (closed,) = closed_batches([extracted("a", (0, 0))], Limits(10, 10, 1))
    assert closed.batch.publications["reuters"].articles == 1
    assert closed.batch.documents == 1
