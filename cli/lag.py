"""A consumer group as Kafka sees it: its members, and what it has not read."""

from dataclasses import dataclass

from confluent_kafka import ConsumerGroupState
from confluent_kafka.admin import AdminClient

from shared import lag
from shared.kafka import open_consumer
from shared.lag import ANSWER_SECONDS, Stretch, answer, stretches
from shared.settings import CommonSettings


@dataclass(frozen=True)
class Group:
    """A group that has never been has no members and is "dead"."""

    name: str
    state: str
    members: int
    partitions: int
    """Those that some member has."""


def unread(settings: CommonSettings, admin: AdminClient, group: str, topic: str) -> list[Stretch]:
    """What `group` has not committed of the topic, by partition; from the start where it committed nothing."""
    with open_consumer(settings, group) as consumer:
        return lag.unread(consumer, stretches(admin, topic))


def group(admin: AdminClient, name: str) -> Group:
    """The group's state and members."""
    described = answer(admin.describe_consumer_groups([name], request_timeout=ANSWER_SECONDS)[name].result)
    # librdkafka has no names for the new protocol's "assigning" and "reconciling".
    moving = described.state is ConsumerGroupState.UNKNOWN
    return Group(
        name,
        state="rebalancing" if moving else described.state.name.lower().replace("_", " "),
        members=len(described.members),
        partitions=sum(len(member.assignment.topic_partitions) for member in described.members),
    )
