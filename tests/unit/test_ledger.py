"""What the ledger takes for counted, case by case. Interleavings of all of them: test_ledger_model.py."""

from services.saver.ledger import RECENT_MAX, Ledger, Verdict
from tests.unit.records import extracted


def test_a_redelivered_message_is_left_out_by_its_offset() -> None:
    """A crash after the Firestore commit and before the Kafka commit delivers the same offsets again."""
    ledger = Ledger()
    assert ledger.admit(5, extracted("a", (0, 9))) is Verdict.COUNT
    assert ledger.admit(5, extracted("a", (0, 9))) is Verdict.NEXT_OFFSET
    assert ledger.next_offset == 6


def test_a_rewound_extractor_is_left_out_by_the_place_of_the_post() -> None:
    """It emits the same posts again at new offsets of the entities topic."""
    ledger = Ledger()
    for offset in range(3):
        assert ledger.admit(offset, extracted(f"id{offset}", (7, offset))) is Verdict.COUNT
    for offset in range(3):
        assert ledger.admit(10 + offset, extracted(f"id{offset}", (7, offset))) is Verdict.SOURCES
    assert ledger.admit(20, extracted("new", (7, 3))) is Verdict.COUNT


def test_posts_partitions_and_topics_do_not_mix() -> None:
    """The same offset of another partition, or of a posts topic made again, is another post."""
    ledger = Ledger()
    assert ledger.admit(0, extracted("a", (0, 5))) is Verdict.COUNT
    assert ledger.admit(1, extracted("b", (1, 5))) is Verdict.COUNT
    assert ledger.admit(2, extracted("c", (0, 5), topic_id="other")) is Verdict.COUNT


def test_an_id_sent_twice_counts_once_within_the_window() -> None:
    """A client without a 201 sends again: another place in `posts`, the same id."""
    ledger = Ledger()
    assert ledger.admit(0, extracted("same", (0, 0))) is Verdict.COUNT
    assert ledger.admit(1, extracted("same", (1, 0))) is Verdict.RECENT
    for number in range(RECENT_MAX):
        ledger.admit(2 + number, extracted(f"other{number}", (0, 1 + number)))
    assert ledger.admit(10_000, extracted("same", (2, 0))) is Verdict.COUNT


def test_the_same_id_in_two_publications_is_two_posts() -> None:
    """Publications number their posts without asking each other."""
    ledger = Ledger()
    assert ledger.admit(0, extracted("1", (0, 0), "Reuters")) is Verdict.COUNT
    assert ledger.admit(1, extracted("1", (0, 1), "The Verge")) is Verdict.COUNT
    assert ledger.admit(2, extracted("1", (0, 2), "REUTERS ")) is Verdict.RECENT


def test_an_id_of_a_client_s_that_ends_like_a_place_is_known_again_elsewhere() -> None:
    """Only `posts-3-17` is the extractor's own making."""
    ledger = Ledger()
    assert ledger.admit(0, extracted("story-3-17", (3, 17))) is Verdict.COUNT
    assert ledger.admit(1, extracted("story-3-17", (4, 2))) is Verdict.RECENT


def test_an_id_made_of_a_place_is_no_duplicate_in_a_topic_made_again() -> None:
    """A post typed without an id is `posts-3-17` in every topic of that name."""
    ledger = Ledger()
    assert ledger.admit(0, extracted("posts-3-17", (3, 17))) is Verdict.COUNT
    assert ledger.admit(1, extracted("posts-3-17", (3, 17), topic_id="again")) is Verdict.COUNT


def test_a_dead_letter_put_back_counts_once() -> None:
    """Its place in `posts` is covered by later ones, so a hole is kept for it."""
    ledger = Ledger()
    ledger.give_up(0, extracted("refused", (0, 3)))
    assert ledger.admit(1, extracted("later", (0, 4))) is Verdict.COUNT
    assert ledger.admit(2, extracted("refused", (0, 3))) is Verdict.COUNT
    assert ledger.admit(3, extracted("refused", (0, 3))) is Verdict.SOURCES


def test_giving_up_a_duplicate_leaves_no_hole() -> None:
    """Else the message, put back, would count a second time."""
    ledger = Ledger()
    assert ledger.admit(0, extracted("a", (0, 3))) is Verdict.COUNT
    ledger.give_up(1, extracted("a", (0, 3)))
    assert ledger.admit(2, extracted("a", (0, 3))) is Verdict.SOURCES


def test_a_ledger_comes_back_from_firestore_as_it_was() -> None:
    """Nothing of it is lost in the document, and the document is far below Firestore's 1 MiB."""
    ledger = Ledger()
    for number in range(RECENT_MAX + 10):
        ledger.admit(number, extracted(f"id{number}", (number % 48, number)))
    ledger.give_up(90_000, extracted("hole", (0, 80_000)))
    document = ledger.to_document()
    assert Ledger.from_document(document).to_document() == document
    assert len(document["recent"]) == RECENT_MAX * 8
