"""Exactly once, as a model: whatever the order of deliveries, crashes, rewinds and restores, the counts are an
obvious oracle's after every step.

The savers here are real `Partition`s, two of which may believe that they own the partition; Kafka is a list, Firestore
a dict with a version.
"""

import copy
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.saver import ledger
from services.saver.batch import Batch
from services.saver.ledger import Ledger
from services.saver.partition import Limits, Partition, Standing
from services.saver.store import Version
from shared.messages import ExtractedPost
from shared.names import canonical_entity, publication_key
from tests.unit.records import extracted, record

POSTS_PARTITIONS = 2
SAVERS = 2
PUBLICATIONS = ("Reuters", "The  Verge ", "the verge")
NAMES = ("Angela Merkel", "angela merkel's", "Wangari Maathai", "the Sahel")
FOREVER = float("inf")

savers = st.integers(0, SAVERS - 1)
posts_partitions = st.integers(0, POSTS_PARTITIONS - 1)
some = st.integers(1, 5)


class FakeFirestore:
    """One ledger and the counts beside it; a commit is all or nothing, on top of the version it names."""

    def __init__(self) -> None:
        self.version: datetime | None = None
        self.ledger: dict[str, Any] | None = None
        self.counts: Counter[tuple[str, ...]] = Counter()

    def commit(self, batch: Batch, document: dict[str, Any], on: Version, version: datetime) -> bool:
        if on.update_time != self.version:
            return False
        self.version, self.ledger = version, copy.deepcopy(document)
        for key, counts in batch.publications.items():
            self.counts[(key,)] += counts.articles
            for (label, canonical), count in counts.entities.items():
                self.counts[(key, label, canonical)] += count
        return True


class ExactlyOnce(RuleBasedStateMachine):
    """Rules are what can happen; the invariant is the promise."""

    window = ledger.RECENT_MAX

    @initialize()
    def start(self) -> None:
        ledger.RECENT_MAX = self.window
        self.posts: list[list[ExtractedPost]] = [[] for _ in range(POSTS_PARTITIONS)]
        self.extracted_to = [0] * POSTS_PARTITIONS
        self.log: list[ExtractedPost | bytes | None] = []  # None: a transaction marker, which no reader sees
        self.firestore = FakeFirestore()
        self.backups = [copy.deepcopy(self.firestore)]
        self.clock = datetime(2026, 11, 23, tzinfo=UTC)
        self.refusing: set[str] = set()
        self.given_up: set[int] = set()
        self.savers = [self.new_saver() for _ in range(SAVERS)]
        self.dead: list[ExtractedPost] = []
        self.positions = [0] * SAVERS

    def new_saver(self) -> Partition:
        return Partition(0, Limits(posts=4, documents=6, age_seconds=1))

    # What comes in

    @rule(partition=posts_partitions, publication=st.sampled_from(PUBLICATIONS), repeat=st.booleans(), data=st.data())
    def a_client_posts(self, partition: int, publication: str, repeat: bool, data: st.DataObject) -> None:
        sent = [post for posts in self.posts for post in posts]
        offset = len(self.posts[partition])
        if repeat and sent and self.window:  # no 201 came, so the client sends the same post again
            again = data.draw(st.sampled_from(sent))
            names = {mention.text: mention.count for mention in again.entities}
            post = extracted(again.post_id, (partition, offset), again.publication, names)
        else:
            names = data.draw(st.dictionaries(st.sampled_from(NAMES), st.integers(1, 3)))
            post = extracted(f"id{len(sent)}", (partition, offset), publication, names)
        self.posts[partition].append(post)

    @rule(partition=posts_partitions, most=some)
    def an_extractor_commits_a_transaction(self, partition: int, most: int) -> None:
        start = self.extracted_to[partition]
        taken = self.posts[partition][start : start + most]
        self.extracted_to[partition] += len(taken)
        self.log += [*taken, None]

    @rule(partition=posts_partitions, data=st.data())
    def the_extractor_group_is_rewound(self, partition: int, data: st.DataObject) -> None:
        self.extracted_to[partition] = data.draw(st.integers(0, self.extracted_to[partition]))

    @rule()
    def somebody_types_rubbish(self) -> None:
        self.log.append(b"not json")

    # What the savers do

    @rule(which=savers, most=some)
    def a_saver_takes(self, which: int, most: int) -> None:
        saver = self.savers[which]
        if saver.standing is None:
            self.read_ledger(which)
        for _ in range(most):
            offset = self.positions[which]
            if offset == len(self.log):
                break
            self.positions[which] += 1
            message = self.log[offset]
            if message is not None:
                value = message if isinstance(message, bytes) else message.model_dump_json().encode()
                saver.take(record(value, offset), now=0.0)

    def read_ledger(self, which: int) -> None:
        document = self.firestore.ledger
        found = Ledger.from_document(copy.deepcopy(document)) if document else Ledger()
        self.positions[which] = found.next_offset
        self.savers[which].found(Standing("topic", found, Version(self.firestore.version)), found.next_offset)

    @rule(which=savers, outcome=st.sampled_from(["answered", "answer lost", "never arrived"]))
    def a_saver_commits(self, which: int, outcome: str) -> None:
        saver = self.savers[which]
        if saver.standing is None:
            return
        closed = saver.next_commit(FOREVER)
        if closed is None:
            return
        if self.refuses(closed.batch):
            saver.refused(closed.batch, "INVALID_ARGUMENT")
            saver.fall_back(0.0, wait=False)
            return
        refused = [dead.record for dead in closed.batch.dead_letters if dead.error.kind == "refused_by_firestore"]
        self.dead += [ExtractedPost.model_validate_json(each.value() or b"") for each in refused]
        self.clock += timedelta(seconds=1)
        applied = outcome != "never arrived" and self.firestore.commit(
            closed.batch, closed.ledger, saver.standing.version, self.clock
        )
        if applied:
            self.given_up |= {each.offset() or 0 for each in refused}
        if applied and outcome == "answered":
            saver.saved(Version(self.clock))
        else:
            saver.fall_back(0.0, wait=False)

    def refuses(self, batch: Batch) -> bool:
        texts = {canonical for counts in batch.publications.values() for _, canonical in counts.entities}
        return bool(texts & self.refusing)

    @rule(which=savers, most=some)
    def a_saver_works_undisturbed(self, which: int, most: int) -> None:
        for _ in range(4):
            self.a_saver_takes(which, most)
            self.a_saver_commits(which, "answered")

    @rule(which=savers)
    def a_saver_is_killed(self, which: int) -> None:
        self.savers[which] = self.new_saver()

    @rule(which=savers, data=st.data())
    def kafka_delivers_again(self, which: int, data: st.DataObject) -> None:
        self.positions[which] = data.draw(st.integers(0, self.positions[which]))

    # What happens to Firestore

    @rule()
    def firestore_is_backed_up(self) -> None:
        self.backups.append(copy.deepcopy(self.firestore))

    @rule()
    def firestore_starts_to_refuse_an_entity(self) -> None:
        self.refusing = {"wangari maathai"}

    @rule()
    def it_is_mended_and_dead_letters_are_put_back(self) -> None:
        self.refusing = set()
        self.log += self.dead
        self.dead = []

    @precondition(lambda self: not self.given_up)
    @rule(data=st.data())
    def firestore_is_restored(self, data: st.DataObject) -> None:
        self.firestore = copy.deepcopy(data.draw(st.sampled_from(self.backups)))

    # The promise

    @invariant()
    def counts_are_the_oracles(self) -> None:
        """Each post up to the ledger's offset once: told apart by publication and id, nothing else."""
        done = self.firestore.ledger["next_offset"] if self.firestore.ledger else 0
        seen: dict[tuple[str, str], ExtractedPost] = {}
        for offset, message in enumerate(self.log[:done]):
            if isinstance(message, ExtractedPost) and offset not in self.given_up:
                seen.setdefault((publication_key(message.publication), message.post_id), message)
        oracle: Counter[tuple[str, ...]] = Counter()
        for (key, _), post in seen.items():
            oracle[(key,)] += 1
            for mention in post.entities:
                oracle[(key, mention.label, canonical_entity(mention.text))] += mention.count
        assert self.firestore.counts == oracle

    def teardown(self) -> None:
        """Left alone, the pipeline ends with everything counted."""
        ledger.RECENT_MAX = ExactlyOnce.window
        if not hasattr(self, "log"):
            return
        for partition in range(POSTS_PARTITIONS):
            self.an_extractor_commits_a_transaction(partition, len(self.posts[partition]))
        self.it_is_mended_and_dead_letters_are_put_back()
        for _ in range(2):  # a put-back that was under way as a refusal is put back once more
            self.savers[0] = self.new_saver()
            self.a_saver_takes(0, len(self.log))
            while self.savers[0].standing and self.savers[0].next_commit(FOREVER):
                self.a_saver_commits(0, "answered")
            self.it_is_mended_and_dead_letters_are_put_back()
        self.counts_are_the_oracles()
        everything = {(publication_key(post.publication), post.post_id) for posts in self.posts for post in posts}
        assert sum(count for key, count in self.firestore.counts.items() if len(key) == 1) == len(everything)


class ExactlyOnceByPlaceAlone(ExactlyOnce):
    """No post id is remembered, and no client repeats one: the places in `posts` must be enough."""

    window = 0


TestExactlyOnce = ExactlyOnce.TestCase
TestExactlyOnceByPlaceAlone = ExactlyOnceByPlaceAlone.TestCase
TestExactlyOnce.settings = TestExactlyOnceByPlaceAlone.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None
)
