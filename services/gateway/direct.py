"""Routes whose handlers are called straight away."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from services.gateway.auth import KeyName


def direct_route(key_name: KeyName) -> type[APIRoute]:
    """A class of routes that give their handler the request and the key's name, and nothing else.

    FastAPI finds out anew for each request what a handler depends on, which takes longer than all that the gateway does
    with a small post. What it writes about such a route into /docs stays as it is.
    """

    class DirectRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            async def handle(request: Request) -> Response:
                headers = request.headers
                key = await key_name(request, headers.get("x-api-key"), headers.get("access_token"))
                response: Response = await self.endpoint(request, key)
                return response

            return handle

    return DirectRoute
