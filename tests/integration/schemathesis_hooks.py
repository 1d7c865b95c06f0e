"""What schemathesis can't know about the gateway; schemathesis.toml names this file."""

import json
from typing import Any

import schemathesis
from schemathesis import Case, HookContext, Response, SerializationContext
from schemathesis.core.failures import Failure
from schemathesis.openapi.checks import RejectedPositiveData


@schemathesis.serializer("application/x-ndjson")
def ndjson(ctx: SerializationContext, value: Any) -> bytes:
    return json.dumps(value).encode()


@schemathesis.deserializer("application/x-ndjson")
def lines(ctx: schemathesis.DeserializationContext, response: Response) -> str:
    return response.content.decode()


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: Case[Any], response: Response) -> bool:
    """False for a refusal of what the OpenAPI document has no words for; every problem must be one of those."""
    problems = response.json()["detail"] if isinstance(failure, RejectedPositiveData) else []
    return not problems or not all(map(beyond_schemas, problems))


def beyond_schemas(problem: dict[str, Any]) -> bool:
    # A cursor comes out of an answer, and is good for that query only.
    # A publication's name is limited in bytes, since Firestore is; JSON Schema counts characters.
    return problem["loc"] == ["query", "cursor"] or "bytes of UTF-8" in problem["msg"]
