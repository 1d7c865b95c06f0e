"""What the OpenAPI document says beyond what FastAPI reads off the routes."""

from typing import Any

from pydantic import BaseModel, Field

WHEN = {
    400: "The body broke off",
    401: "The API key is wrong or missing",
    404: "There is no such publication",
    408: "The body took too long",
    413: "The body is too large",
    422: "What was sent is not valid; each field at fault is named",
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


def request_body(media_type: str, schema: dict[str, Any], example: object) -> dict[str, Any]:
    """For a route that reads its body itself."""
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema, "example": example}}}}
