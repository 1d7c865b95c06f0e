"""Whether the gateway lives, whether it can take posts in, and its metrics."""

import asyncio
import time
from contextlib import ExitStack
from types import TracebackType

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from services.gateway.deliver import Deliveries
from services.gateway.metrics import exposition
from services.gateway.openapi import content
from services.gateway.refusal import Reason, Refusal
from services.gateway.settings import GatewaySettings
from shared.errors import Fatal
from shared.kafka import open_admin
from shared.topics import topic_ids

ASK_SECONDS = 2.0
FRESH_SECONDS = 1.0


class Readiness:
    """Asks Kafka for the posts topic, at most once a second, however many ask us."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._scope = ExitStack()
        self._asking = asyncio.Lock()
        self._asked_at = -FRESH_SECONDS
        self._problem: str | None = None

    def __enter__(self) -> "Readiness":
        self._admin = self._scope.enter_context(open_admin(self._settings))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._scope.close()

    async def problem(self) -> str | None:
        """Why no post can be taken in now. Firestore does not matter here: it is not needed for that."""
        async with self._asking:
            if time.monotonic() - self._asked_at > FRESH_SECONDS:
                self._problem = await asyncio.to_thread(self._ask)
                self._asked_at = time.monotonic()
            return self._problem

    def _ask(self) -> str | None:
        try:
            topic_ids(self._admin, [self._settings.posts_topic], ASK_SECONDS)
        except Fatal as error:
            return str(error)
        return None


def health_router(readiness: Readiness, deliveries: Deliveries) -> APIRouter:
    router = APIRouter(tags=["operation"])

    @router.get("/health/live", summary="Does the process work?")
    async def live() -> dict[str, str]:
        """Fails only where a restart is the remedy."""
        if not deliveries.working:
            raise Refusal(503, Reason.NOT_READY, "The task that takes Kafka's acknowledgements has ended.")
        return {"status": "live"}

    @router.get("/health/ready", summary="Can it take posts in?")
    async def ready() -> dict[str, str]:
        """Kafka answers and the topic is there."""
        if problem := await readiness.problem():
            raise Refusal(503, Reason.NOT_READY, problem)
        return {"status": "ready"}

    @router.get(
        "/metrics",
        summary="Prometheus metrics of all workers",
        response_class=Response,
        responses={200: content("text/plain")},
    )
    def metrics() -> Response:
        return Response(exposition(), media_type=CONTENT_TYPE_LATEST)

    return router
