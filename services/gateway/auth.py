"""The API key of a request: from which header, and whose it is."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Request, Security
from fastapi.security import APIKeyHeader

from services.gateway.keys import Keys
from services.gateway.refusal import Reason, Refusal

API_KEY = APIKeyHeader(name="X-API-Key", scheme_name="X-API-Key", auto_error=False)
ACCESS_TOKEN = APIKeyHeader(
    name="access_token",
    scheme_name="access_token",
    description="As clients of the first version send it. nginx drops headers with an underscore by default.",
    auto_error=False,
)

KeyName = Callable[..., Awaitable[str]]


def key_name_from(keys: Keys) -> KeyName:
    """A dependency that gives the key's name, and leaves it for the access log. Raises Refusal (401)."""

    async def key_name(
        request: Request,
        api_key: Annotated[str | None, Security(API_KEY)],
        access_token: Annotated[str | None, Security(ACCESS_TOKEN)],
    ) -> str:
        given = api_key or access_token
        if not given:
            raise Refusal(401, Reason.UNAUTHORIZED, "An API key is missing: send it in the header X-API-Key.")
        name = keys.name_of(given.encode("latin-1"))  # the bytes as they were sent
        if name is None:
            raise Refusal(401, Reason.UNAUTHORIZED, "The API key is wrong.")
        request.state.key = name
        return name

    return key_name
