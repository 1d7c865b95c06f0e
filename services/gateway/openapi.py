"""What the OpenAPI document says beyond what FastAPI reads off the routes."""

from typing import Any

from pydantic import BaseModel, Field

WHEN = {
    400: "This is not HTTP, or the body broke off",
    401: "The API key is wrong or missing",
    404: "There is no such publication",
    408: "The headers or the body took too long",
    413: "The body is too large",
    415: "The body is compressed, which is not taken",
    422: "What was sent is not valid; each field at fault is named",
    431: "There are too many headers, or they or the address are too long",
    501: "It can't be drawn: this gateway was installed without the extra `wordcloud`",
    503: "Not now. Nothing is wrong with the request: send it again after `Retry-After` seconds",
}


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    type: str
    loc: list[str | int]
    msg: str


class Problem(BaseModel):
    """Every refusal looks like this. `id` is there where the post may have been stored all the same."""

    detail: str | list[FieldProblem] = Field(examples=["What is wrong, in a sentence."])
    id: str | None = None


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": Problem, "description": WHEN[status]} for status in statuses}


EVERYWHERE = problem_responses(400, 408, 431, 503)
"""What any request may be told before a route sees it: see doorkeeper.py and door.py."""


def content(media_type: str, schema: dict[str, Any] | None = None, **more: object) -> dict[str, Any]:
    """Text, where no schema says otherwise.

    For answers of a route whose `response_class` is plain Response: another one's media type FastAPI would give to the
    refusals as well, and those are JSON.
    """
    return {"content": {media_type: {"schema": schema or {"type": "string"}, **more}}}


def request_body(described: dict[str, Any], *, required: bool = True) -> dict[str, Any]:
    """For a route that reads its body itself."""
    return {"requestBody": {"required": required, **described}}
