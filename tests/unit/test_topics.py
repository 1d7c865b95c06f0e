from collections.abc import Iterable
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from shared import topics
from shared.errors import TopicMissing
from shared.topics import Topic, ensure_topics


class Behind:
    """A broker that hears of new topics late, which a real one is for too short a time to be caught at it."""

    def __init__(self, asked_in_vain: float, answer: int = KafkaError.UNKNOWN_TOPIC_OR_PART) -> None:
        self.asked_in_vain = asked_in_vain
        self._answer = answer

    def create_topics(self, new: Iterable[Any], **_: object) -> dict[str, Future[None]]:
        return {topic.topic: _done(None) for topic in new}

    def describe_topics(self, names: TopicCollection, **_: object) -> dict[str, Future[Any]]:
        self.asked_in_vain -= 1
        unknown = KafkaException(KafkaError(self._answer))
        answer = unknown if self.asked_in_vain >= 0 else SimpleNamespace(topic_id="id")
        return {name: _done(answer) for name in names.topic_names}


def _done(result: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(result) if isinstance(result, Exception) else future.set_result(result)
    return future


def test_topics_are_made_when_the_broker_knows_them() -> None:
    """Not before: a gateway that starts then would end because they are missing."""
    broker = Behind(asked_in_vain=3)
    assert ensure_topics(cast("AdminClient", broker), [Topic("posts", 1)]) == ["posts"]
    assert broker.asked_in_vain < 0


def test_who_may_only_make_topics_makes_them() -> None:
    """As docs/operations.md gives the rights: CREATE alone. Whether a broker knows them can't be asked then."""
    broker = Behind(asked_in_vain=float("inf"), answer=KafkaError.TOPIC_AUTHORIZATION_FAILED)
    assert ensure_topics(cast("AdminClient", broker), [Topic("posts", 1)]) == ["posts"]


def test_topics_that_stay_unknown_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting has an end."""
    monkeypatch.setattr(topics, "ADMIN_SECONDS", 0.2)
    with pytest.raises(TopicMissing, match="posts"):
        ensure_topics(cast("AdminClient", Behind(asked_in_vain=float("inf"))), [Topic("posts", 1)])
