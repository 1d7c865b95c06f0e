"""The last answer on a connection whose client may still be sending."""

import asyncio

from fastapi.responses import JSONResponse
from starlette.types import Receive, Scope, Send

LINGER_SECONDS = 2.0


class Farewell(JSONResponse):
    """Answers, then throws away what is still coming in for a moment, then closes.

    Closed at once with data unread, the connection would be reset, and many a client would see a broken pipe instead
    of the answer.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["farewell"] = True  # the doorkeeper closes this connection first when there are too many
        headers = [*self.raw_headers, (b"connection", b"close")]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while (await receive()).get("more_body"):
                    pass
        except TimeoutError:
            pass
        await send({"type": "http.response.body", "body": b"", "more_body": False})
