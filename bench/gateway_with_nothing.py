"""The gateway with one more route, whose handler does nothing: `python -m bench.gateway_with_nothing`."""

import sys

from fastapi import FastAPI, Response

from services.gateway import __main__ as gateway
from services.gateway.app import worker_app
from services.gateway.settings import GatewaySettings

NOTHING = "/nothing"


def app_with_nothing(settings: GatewaySettings) -> FastAPI:
    """Looked for before all other routes; behind the same door and the same middleware as they are."""
    app = worker_app(settings)

    @app.post(NOTHING, status_code=201)
    async def nothing() -> Response:
        return Response(status_code=201)

    app.router.routes.insert(0, app.router.routes.pop())
    return app


if __name__ == "__main__":
    vars(gateway)["worker_app"] = app_with_nothing
    sys.exit(gateway.main())
