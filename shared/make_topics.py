"""`python -m shared.make_topics`: `namedrop topics`, for images that hold no command line."""

import sys

from shared.errors import Fatal
from shared.kafka import open_admin
from shared.settings import CommonSettings, load
from shared.telemetry import log, set_up_logging
from shared.topics import ensure_topics, wanted


def main() -> int:
    settings = load(CommonSettings)
    set_up_logging("topics", settings.log_level)
    with open_admin(settings) as admin:
        try:
            made = ensure_topics(admin, wanted(settings))
        except Fatal as error:
            log().critical("topics.failed", error=str(error))
            return 1
    log().info("topics.ready", topics=[topic.name for topic in wanted(settings)], made=made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
