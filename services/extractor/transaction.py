"""A transactional call and its three answers (confluent-kafka's `KafkaError`, and KIP-98)."""

import faulthandler
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from shared.errors import Fatal, MustAbort
from shared.lifecycle import Deadline

AGAIN_SECONDS = 0.1
OVERDUE_SECONDS = 2.0
"""How long after its time-out a call may come back. `send_offsets_to_transaction` may never, when its broker dies
meanwhile (https://github.com/confluentinc/librdkafka/issues/5456); tests/faults hangs without this."""


def transact(deadline: Deadline, call: Callable[..., object], *arguments: Any) -> None:
    """`call(*arguments, seconds)`, and the same again while Kafka says that it may yet succeed.

    After a `commit_transaction` that timed out only a second commit is allowed, and this makes it. Raises MustAbort
    when the transaction is lost but the producer is not, Fatal when the producer was fenced or the deadline passed:
    nobody knows then how the transaction ended, and a clean process finds out.
    """
    while True:
        seconds = max(1.0, deadline.seconds_left)
        try:
            with ending_process_after(seconds + OVERDUE_SECONDS):
                call(*arguments, seconds)
        except KafkaException as exception:
            error: KafkaError = exception.args[0]
            if error.txn_requires_abort():
                raise MustAbort(error.str()) from exception
            if not error.retriable() or deadline.passed:
                raise Fatal(
                    f"{getattr(call, '__name__', 'transaction')}: {error.str()} ({error.name()})"
                ) from exception
            time.sleep(AGAIN_SECONDS)
        else:
            return


@contextmanager
def ending_process_after(seconds: float) -> Iterator[None]:
    """Ends the process with status 1 when the `with` is not over by then, and says on stderr where it hung."""
    faulthandler.dump_traceback_later(seconds, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
