"""The short way of a post, past what FastAPI does for every request and a post has no use for."""

from collections.abc import Awaitable, Callable, Sequence

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from services.gateway.refusal import Refusal

Refuse = Callable[[Request, Exception], Awaitable[Response]]


class Shortcut:
    """ASGI middleware that calls the handlers of these routes with each POST, and nothing else with it.

    FastAPI looks through all routers and works out a handler's arguments anew for each request; that takes longer than
    taking a post in. Without this middleware the answers are the same.
    """

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute], refuse: Refuse) -> None:
        """routes: their handlers take the request only; their dependencies are for the OpenAPI document."""
        self._app = app
        self._routes = {route.path: route for route in routes if isinstance(route, APIRoute)}
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._routes.get(scope["path"]) if scope.get("method") == "POST" else None
        if route is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = route
        request = Request(scope, receive, send)
        try:
            answer = await route.endpoint(request)
        except Refusal as refusal:
            answer = await self._refuse(request, refusal)
        await answer(scope, receive, send)
