"""The gateway as an ASGI application: its routes, and what they share."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline

from services.gateway.access import AccessLog
from services.gateway.auth import key_name_from, reader_name_from
from services.gateway.deliver import Deliveries
from services.gateway.farewell import Farewell
from services.gateway.head import HeadAsGet
from services.gateway.health import Readiness, health_router
from services.gateway.keys import Keys
from services.gateway.live import Live
from services.gateway.metrics import forget_dead_workers
from services.gateway.openapi import EVERYWHERE
from services.gateway.pages.pages import pages_router, static_files
from services.gateway.post import shown_problem
from services.gateway.posts import posts_router
from services.gateway.reads import reads_router
from services.gateway.refusal import Refusal
from services.gateway.settings import GatewaySettings
from services.gateway.shortcut import Shortcut
from services.gateway.store import Store
from shared import __version__
from shared.telemetry import set_up_logging

DESCRIPTION = """Takes news articles in, and tells who is mentioned where.

Press **Authorize** and enter an API key in one of the two fields."""

GARBAGE_OBJECTS = 10_000
"""New objects after which Python looks for cycles among them."""


def create_app(settings: GatewaySettings) -> FastAPI:
    """One worker's application; it connects when it is started. Raises BadKeys."""
    deliveries = Deliveries(settings)
    readiness = Readiness(settings)
    store = Store(settings)
    live = Live(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        forget_dead_workers()
        with readiness, store, live:
            async with deliveries:
                yield

    # Its /docs comes without a content delivery network.
    app = FastAPIOffline(
        title="namedrop",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        redoc_url=None,
        responses=EVERYWHERE,
    )
    keys = Keys(settings)
    posts = posts_router(settings, key_name_from(keys), deliveries)
    app.include_router(posts)
    reader_name = reader_name_from(keys)
    app.include_router(reads_router(settings, reader_name, store, live))
    app.include_router(health_router(readiness, deliveries))
    app.include_router(pages_router(settings, reader_name, store))
    app.mount("/static", static_files())
    app.add_middleware(Shortcut, routes=posts.routes, refuse=_refuse)
    app.add_middleware(AccessLog)
    app.add_middleware(HeadAsGet)
    app.add_exception_handler(Refusal, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse_parameters)
    app.add_exception_handler(Exception, _fail)
    return app


def worker_app(settings: GatewaySettings) -> FastAPI:
    """What each worker process makes for itself. Here, because a new process can't import a `__main__`."""
    set_up_logging("gateway", settings.log_level)
    app = create_app(settings)
    # Else the collector looks, again and again, through what stays for good and through the posts under way: that took
    # a fifth of the time, in pauses that everybody waits for. Requests leave next to nothing that it has to find.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_OBJECTS)
    return app


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    request.state.reason = error.reason
    # The rest of such a body may be endless.
    whole_body_is_here = error.status not in {408, 413} and "content-length" in request.headers
    kind = JSONResponse if request.method == "GET" or whole_body_is_here else Farewell
    return kind(error.content, error.status, error.headers)


async def _refuse_parameters(_request: Request, error: Exception) -> Response:
    """FastAPI's own answer, without repeating the input."""
    assert isinstance(error, RequestValidationError)
    problems = [shown_problem(problem["type"], problem["loc"], problem["msg"]) for problem in error.errors()]
    return JSONResponse({"detail": problems}, 422)


async def _fail(_request: Request, _error: Exception) -> Response:
    """The traceback goes to the log, by way of uvicorn."""
    return JSONResponse({"detail": "The gateway failed on this request; its log says why."}, 500)
