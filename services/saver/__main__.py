"""Start and stop of the saver: `python -m services.saver`."""

import sys

from confluent_kafka import KafkaException

from services.saver.loop import Saver
from services.saver.settings import SaverSettings
from services.saver.store import Store
from shared.errors import Fatal
from shared.firestore import open_firestore
from shared.kafka import LOOK_FOR_BROKERS, open_admin, open_consumer, open_producer
from shared.lifecycle import stop_on_signals
from shared.settings import load
from shared.telemetry import log, metrics_server, set_up_logging
from shared.topics import topic_ids


def main() -> int:
    settings = load(SaverSettings)
    set_up_logging("saver", settings.log_level)
    stop = stop_on_signals()
    with (
        metrics_server(settings),
        open_admin(settings) as admin,
        open_producer(settings) as producer,
        open_firestore(settings) as places,
        open_consumer(settings, settings.saver_group, enable_partition_eof=True, **LOOK_FOR_BROKERS) as consumer,
    ):
        try:
            topic_ids(admin, [settings.entities_topic, settings.entities_dlq_topic])
            Saver(settings, consumer, admin, producer, Store(places, settings.commit_seconds)).run(stop)
        except (Fatal, KafkaException) as error:
            log().critical("saver.stopped", error=str(error))
            return 1  # the supervisor starts a clean process
    return 0


if __name__ == "__main__":
    sys.exit(main())
