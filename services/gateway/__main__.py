"""Start and stop of the gateway: `python -m services.gateway`."""

import os
import sys
from functools import partial
from tempfile import TemporaryDirectory

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from services.gateway.app import create_app
from services.gateway.keys import BadKeys, Keys
from services.gateway.metrics import WORKERS_DIRECTORY
from services.gateway.settings import GatewaySettings
from shared.errors import Fatal, TopicMissing
from shared.kafka import open_admin
from shared.lifecycle import stop_on_signals
from shared.settings import load, refuse
from shared.telemetry import log, set_up_logging
from shared.topics import topic_ids

ASK_SECONDS = 2.0


def main() -> int:
    settings = load(GatewaySettings)
    set_up_logging("gateway", settings.log_level)
    try:
        Keys(settings)
    except BadKeys as error:
        refuse(str(error))
    stop_on_signals()  # uvicorn drains on a signal, then raises it again: with this, the process ends with status 0
    try:
        with open_admin(settings) as admin:
            topic_ids(admin, [settings.posts_topic], ASK_SECONDS)
    except TopicMissing as error:
        log().critical("gateway.stopped", error=str(error))
        return 1
    except Fatal as error:
        log().warning("kafka.away", error=str(error))  # posts get a 503 until it is back; the rest works
    serve(settings)
    return 0


def serve(settings: GatewaySettings) -> None:
    """Until a signal comes and the requests under way are answered."""
    config = uvicorn.Config(
        partial(worker, settings),
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        timeout_graceful_shutdown=settings.shutdown_seconds,
        log_config=None,
        log_level="warning",
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
    log().info("gateway.stopped")


def worker(settings: GatewaySettings) -> FastAPI:
    """What each worker process makes for itself."""
    set_up_logging("gateway", settings.log_level)
    return create_app(settings)


if __name__ == "__main__":
    sys.exit(main())
