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

KeyName = Callable[[Request], str]
ReaderName = Callable[..., Awaitable[str]]

NEEDS_KEY = [Security(API_KEY), Security(ACCESS_TOKEN)]
"""For the OpenAPI document: what a KeyName looks at."""


def key_name_from(keys: Keys) -> KeyName:
    """Gives the name of a request's key, and leaves it for the access log. Raises Refusal (401)."""

    def key_name(request: Request) -> str:
        headers = request.headers
        return _name_of(request, headers.get("x-api-key") or headers.get("access_token"), keys)

    return key_name


def reader_name_from(keys: Keys) -> ReaderName:
    """A dependency that does the same, and also with what a browser asks its user for and then sends by itself.

    Not for posting: another site's page could make a browser post with it.
    """

    async def reader_name(
        request: Request,
        api_key: Annotated[str | None, Security(API_KEY)],
        access_token: Annotated[str | None, Security(ACCESS_TOKEN)],
        basic: Annotated[HTTPBasicCredentials | None, Security(BASIC)],
    ) -> str:
        return _name_of(request, api_key or (basic.password if basic else None) or access_token, keys)

    return reader_name


def _name_of(request: Request, key: str | None, keys: Keys) -> str:
    if not key:
        raise Refusal(401, Reason.UNAUTHORIZED, "An API key is missing: send it in the header X-API-Key.")
    name = keys.name_of(key.encode("latin-1"))  # the bytes as they were sent
    if name is None:
        raise Refusal(401, Reason.UNAUTHORIZED, "The API key is wrong.")
    request.state.key = name
    return name
