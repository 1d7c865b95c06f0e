"""Logs and metrics: JSON lines on stdout, Prometheus over HTTP."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from prometheus_client import Counter, start_http_server
from structlog.typing import EventDict, Processor

from shared.settings import WorkerSettings


def set_up_logging(service: str, level: str) -> None:
    """One JSON object a line: time, level, service, event and its fields. Libraries' own logs come the same way."""

    def in_order(_logger: object, _method: str, event: EventDict) -> EventDict:
        # Not structlog's contextvars: worker threads don't inherit them.
        time, level, name = (event.pop(key) for key in ("time", "level", "event"))
        return {"time": time, "level": level, "service": service, "event": name, **event}

    fields: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    render: list[Processor] = [in_order, structlog.processors.JSONRenderer(sort_keys=False)]
    structlog.configure(
        processors=[*fields, *render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    remove_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=fields, processors=[remove_meta, *render])
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # These are chatty below it, one line per request.
    for library in ("urllib3", "google", "grpc", "asyncio"):
        logging.getLogger(library).setLevel(max(logging.WARNING, logging.getLogger().level))


@contextmanager
def metrics_server(settings: WorkerSettings) -> Iterator[int]:
    """Serves /metrics while the `with` lasts; yields the port."""
    server, thread = start_http_server(settings.metrics_port, settings.metrics_host)
    port = int(server.server_port)
    log().info("metrics.serving", host=settings.metrics_host, port=port)
    try:
        yield port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def from_zero(counter: Counter, *values: str) -> Counter:
    """With a series for each of `values` of its one label: in one that begins at 1, Prometheus sees no increase."""
    for value in values:
        counter.labels(value)
    return counter


def log() -> Any:
    """The process's logger. Fields, not sentences: log().info("batch.saved", partition=7, posts=29)."""
    return structlog.get_logger()
