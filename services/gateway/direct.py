"""Routes that are called as they are: for those that everything else waits for."""

from collections.abc import Callable
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send


class Direct(APIRoute):
    """A route whose handler gets the request, and nothing else.

    FastAPI works out a handler's arguments anew for each request, and that takes three times as long as taking a post
    in. So no dependency of such a route is ever called: it is there for the OpenAPI document, which is made as always.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **arguments: Any) -> None:
        super().__init__(path, endpoint, **arguments)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            answer = await endpoint(Request(scope, receive, send))
            await answer(scope, receive, send)

        self.app = app
