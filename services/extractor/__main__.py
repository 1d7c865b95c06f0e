"""Start and stop of the extractor: `python -m services.extractor`."""

import sys

from confluent_kafka import KafkaException

from services.extractor.extract import Extractor
from services.extractor.loop import Loop
from services.extractor.settings import ExtractorSettings
from shared.errors import Fatal
from shared.kafka import LOOK_FOR_BROKERS, open_admin, open_consumer, open_producer
from shared.lifecycle import stop_on_signals
from shared.settings import load
from shared.telemetry import log, metrics_server, set_up_logging
from shared.topics import topic_ids


def main() -> int:
    settings = load(ExtractorSettings)
    set_up_logging("extractor", settings.log_level)
    stop = stop_on_signals()
    extractor = Extractor(settings.extractor_model)
    transactional = {
        "transactional_id": settings.transactional_id,
        "transaction_timeout_ms": int(settings.transaction_seconds * 1000),
    }
    with (
        metrics_server(settings),
        open_admin(settings) as admin,
        open_producer(settings, **transactional) as producer,
        open_consumer(settings, settings.extractor_group, **LOOK_FOR_BROKERS) as consumer,
    ):
        try:
            topic_ids(admin, [settings.posts_topic, settings.entities_topic, settings.posts_dlq_topic])
            Loop(settings, extractor, consumer, producer, admin).run(stop)
        except (Fatal, KafkaException) as error:
            log().critical("extractor.stopped", error=str(error))
            return 1  # the supervisor starts a clean process
    return 0


if __name__ == "__main__":
    sys.exit(main())
