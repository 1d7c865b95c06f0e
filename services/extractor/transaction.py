"""A transactional call and its three answers (confluent-kafka's `KafkaError`, and KIP-98)."""

import time
from collections.abc import Callable
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from shared.errors import Fatal, MustAbort
from shared.lifecycle import Deadline

AGAIN_SECONDS = 0.1


def transact(deadline: Deadline, call: Callable[..., object], *arguments: Any) -> None:
    """`call(*arguments, seconds)`, and the same again while Kafka says that it may yet succeed.

    After a `commit_transaction` that timed out only a second commit is allowed, and this makes it. Raises MustAbort
    when the transaction is lost but the producer is not, Fatal when the producer was fenced or the deadline passed:
    nobody knows then how the transaction ended, and a clean process finds out.
    """
    while True:
        try:
            call(*arguments, max(1.0, deadline.seconds_left))
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
