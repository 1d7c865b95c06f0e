"""The three answers of a transactional call."""

import subprocess
import sys

import pytest
from confluent_kafka import KafkaError, KafkaException

from services.extractor.transaction import transact
from shared.errors import Fatal, MustAbort
from shared.lifecycle import Deadline


class Call:
    """A call that fails with these errors, one after the other, and then succeeds."""

    __name__ = "commit_transaction"

    def __init__(self, *errors: KafkaError) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self, *_arguments: object) -> None:
        self.calls += 1
        if self.errors:
            raise KafkaException(self.errors.pop(0))


RETRIABLE = KafkaError(KafkaError._TIMED_OUT, "timed out", retriable=True)
ABORTABLE = KafkaError(KafkaError.INVALID_TXN_STATE, "abort me", txn_requires_abort=True)
FENCED = KafkaError(KafkaError._FENCED, "somebody has my name", fatal=True)


def test_a_retriable_failure_is_the_same_call_again() -> None:
    """After a commit that timed out an abort is refused; only the commit again tells how it ended."""
    call = Call(RETRIABLE, RETRIABLE)
    transact(Deadline(30), call)
    assert call.calls == 3


def test_at_the_deadline_the_process_ends() -> None:
    """Nobody knows how the transaction ended, and a clean process finds out."""
    with pytest.raises(Fatal, match="commit_transaction: timed out"):
        transact(Deadline(0), Call(RETRIABLE))


def test_a_lost_transaction_is_aborted() -> None:
    """The loop aborts, goes back and goes on."""
    with pytest.raises(MustAbort, match="abort me"):
        transact(Deadline(30), Call(ABORTABLE))


def test_a_fenced_producer_ends_the_process() -> None:
    """Another process has its name now."""
    with pytest.raises(Fatal, match="somebody has my name"):
        transact(Deadline(30), Call(FENCED))


def test_a_call_that_never_comes_back_ends_the_process() -> None:
    """librdkafka's issue 5456: the time-out is ignored when the broker dies during the call. stderr says so."""
    script = (
        "import time; from services.extractor import transaction; from shared.lifecycle import Deadline;"
        "transaction.OVERDUE_SECONDS = 0.1; transaction.transact(Deadline(0), lambda seconds: time.sleep(60))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "Timeout" in done.stderr
