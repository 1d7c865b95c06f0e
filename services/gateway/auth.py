"""The API key of a request: from which header, and whose it is."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Request, Security
from fastapi.security import APIKeyHeader, HTTPBasic, HTTPBasicCredentials

from services.gateway.keys import Keys
from services.gateway.refusal import Reason, Refusal

API_KEY = APIKeyHeader(name="X-API-Key", scheme_name="X-API-Key", auto_error=False)
ACCESS_TOKEN = APIKeyHeader(
    name="access_token",
    scheme_name="access_token",
    description="As clients of the first version send it. nginx drops headers with an underscore by default.",
    auto_error=False,
)
BASIC = HTTPBasic(
    scheme_name="Basic",
    description="For browsers, and for reading only: any user name, and the API key as the password.",
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


def reader_name_from(key_name: KeyName) -> KeyName:
    """As key_name, and also by what a browser asks its user for and then sends by itself.

    Not for posting: another site's page could make a browser post with it.
    """

    async def reader_name(
        request: Request,
        api_key: Annotated[str | None, Security(API_KEY)],
        access_token: Annotated[str | None, Security(ACCESS_TOKEN)],
        basic: Annotated[HTTPBasicCredentials | None, Security(BASIC)],
    ) -> str:
        return await key_name(request, api_key or (basic.password if basic else None), access_token)

    return reader_name
