"""Start and stop of the gateway: `python -m services.gateway`."""

import os
import signal
import sys
from functools import partial
from tempfile import TemporaryDirectory
from types import FrameType

import uvicorn
from uvicorn.supervisors import Multiprocess

from services.gateway.app import worker_app
from services.gateway.deliver import producer_config
from services.gateway.doorkeeper import Doorkeeper
from services.gateway.keys import BadKeys, Keys
from services.gateway.metrics import WORKERS_DIRECTORY
from services.gateway.open_files import room_for_connections
from services.gateway.settings import GatewaySettings
from shared.errors import Fatal, TopicMissing
from shared.kafka import open_admin, open_producer
from shared.settings import load, refuse
from shared.telemetry import log, set_up_logging
from shared.topics import topic_ids

ASK_SECONDS = 2.0
WORKER_SECONDS = 30
"""From a worker's start, or its last sign of life, until it is replaced. A busy machine imports for several seconds."""


def main() -> int:
    settings = load(GatewaySettings)
    set_up_logging("gateway", settings.log_level)
    try:
        keys = Keys(settings)
    except BadKeys as error:
        refuse(str(error))
    if keys.open_to_everybody:
        log().warning("keys.development", problem="Everybody knows the development key. Set API_KEYS; see README.")
    # uvicorn takes the signals over while it serves, drains, and then raises them again.
    signal.signal(signal.SIGTERM, _exit)
    signal.signal(signal.SIGINT, _exit)
    try:
        # The producer only to learn now, and not from every worker, that its configuration is wrong.
        with open_admin(settings) as admin, open_producer(settings, **producer_config(settings)):
            topic_ids(admin, [settings.posts_topic], ASK_SECONDS)
    except TopicMissing as error:
        log().critical("gateway.stopped", error=str(error))
        return 1
    except Fatal as error:
        log().warning("kafka.away", error=str(error))  # posts get a 503 until it is back; the rest works
    try:
        serve(settings)
    finally:
        log().info("gateway.stopped")
    return 0


def serve(settings: GatewaySettings) -> None:
    """Until a signal comes and the requests under way are answered."""
    config = uvicorn.Config(
        partial(worker_app, settings),
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        timeout_graceful_shutdown=settings.shutdown_seconds,
        timeout_keep_alive=settings.keep_alive_seconds,
        http=Doorkeeper(settings, room_for_connections(settings.connections_max)),  # type: ignore[arg-type] # any callable
        timeout_worker_healthcheck=WORKER_SECONDS,
        log_config=None,
        # Of several workers uvicorn tells when one died; of one only what goes wrong.
        log_level="info" if settings.workers > 1 else "warning",
        access_log=False,
        server_header=False,
        ws="none",
    )
    socket = config.bind_socket()
    log().info("gateway.listening", host=settings.host, port=socket.getsockname()[1], workers=settings.workers)
    if settings.workers == 1:
        uvicorn.Server(config).run([socket])
    else:
        with TemporaryDirectory(prefix="namedrop-gateway-") as directory:
            os.environ[WORKERS_DIRECTORY] = directory  # prometheus_client in the workers reads it
            Multiprocess(config, [socket]).run()


def _exit(_signum: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
