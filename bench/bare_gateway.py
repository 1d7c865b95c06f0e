"""The gateway with a handler that does nothing: `python -m bench.bare_gateway`, with the gateway's settings.

The same FastAPI app, middleware, uvicorn, protocol and limits, and the same question for the API key. Then 201: the
body is neither read nor looked at, and Kafka does not hear of it.
"""

import sys
from typing import Annotated

from fastapi import Depends, FastAPI, Response
from fastapi.routing import APIRoute

import services.gateway.__main__ as gateway
from services.gateway.app import worker_app
from services.gateway.auth import key_name_from
from services.gateway.keys import Keys
from services.gateway.settings import GatewaySettings


def bare_app(settings: GatewaySettings) -> FastAPI:
    """The gateway's own, with another route before its own ones."""
    key_name = key_name_from(Keys(settings))

    async def nothing(_key: Annotated[str, Depends(key_name)]) -> Response:
        return Response(status_code=201)

    app = worker_app(settings)
    app.router.routes.insert(0, APIRoute("/post/enqueue", nothing, methods=["POST"], status_code=201))
    return app


if __name__ == "__main__":
    vars(gateway)["worker_app"] = bare_app
    sys.exit(gateway.main())
