"""The routes that take posts in."""

import asyncio
import json
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from pydantic_core import to_json

from services.gateway.auth import NEEDS_KEY, KeyName
from services.gateway.batch import BatchAnswer, Batches
from services.gateway.body import declared_bytes, read_body, refuse_compressed
from services.gateway.deliver import Deliveries
from services.gateway.metrics import accepted_of
from services.gateway.openapi import content, problem_responses, request_body
from services.gateway.post import EXAMPLE, new_id, new_post_class, parse_post, record_value
from services.gateway.refusal import busy
from services.gateway.room import Room
from services.gateway.settings import GatewaySettings


class Accepted(BaseModel):
    """Where Kafka keeps the post. It is acknowledged by all in-sync replicas, and will be counted once."""

    id: str = Field(examples=["019ad0f2-6c1e-7d43-9f0b-3c1d2e4f5a6b"])
    partition: int = Field(examples=[7])
    offset: int = Field(examples=[4211])


def posts_router(settings: GatewaySettings, key_name: KeyName, deliveries: Deliveries) -> APIRouter:
    router = APIRouter(tags=["posts"], dependencies=NEEDS_KEY)
    room = Room(settings.in_flight_max_posts, settings.in_flight_max_bytes)
    kind = new_post_class(settings.content_max_chars)
    batches = Batches(settings, kind, deliveries, asyncio.Semaphore(settings.batches_max))

    @router.post(
        "/post/enqueue",
        status_code=201,
        summary="Take one post in",
        response_model=Accepted,
        responses=problem_responses(401, 413, 415, 422),
        openapi_extra=request_body(content("application/json", kind.model_json_schema(), example=EXAMPLE)),
    )
    async def enqueue(request: Request) -> Response:
        """Answers 201 after Kafka has acknowledged the post. A 503 passes: send the post again, with the same `id`.

        The body is read as JSON in UTF-8, whatever its Content-Type says.
        """
        key = key_name(request)
        size = declared_bytes(request, settings.body_max_bytes)
        if not room.enter(size):
            raise busy("Too many posts are under way.")
        try:
            post = parse_post(await read_body(request, settings.body_max_bytes, settings.body_seconds), kind)
            post_id = post.id or new_id()
            report = await deliveries.acknowledged(deliveries.hand_over(record_value(post, post_id)), post_id)
        finally:
            room.leave(size)
        accepted_of(key).inc()
        accepted = {"id": post_id, "partition": report.partition, "offset": report.offset}
        return Response(to_json(accepted), 201, media_type="application/json")

    @router.post(
        "/post/enqueue/batch",
        status_code=200,
        summary="Take many posts in",
        response_class=Response,
        responses=problem_responses(401, 415) | {200: BATCH_ANSWER},
        openapi_extra=request_body(
            content(BatchAnswer.media_type, {"description": "Posts as JSON"}, example=json.dumps(EXAMPLE) + "\n"),
            required=False,
        ),
    )
    async def enqueue_batch(request: Request) -> Response:
        """One post a line in, one result a line out, in the same order and while the rest is still coming in.

        A bad line is refused by itself. The limits of a single post hold for each line; there is none for the whole.
        A client that sends more than some 10,000 lines should read the answer while it is sending.
        """
        key = key_name(request)
        refuse_compressed(request.headers.get("content-encoding", "").encode("latin-1"))
        if batches.free.locked():
            raise busy("Too many batches are under way.")
        return BatchAnswer(request, key, batches)

    return router


BATCH_ANSWER: dict[str, Any] = {
    "description": "A result for each line: the status that the post would have got alone, and what came with it",
    **content(
        BatchAnswer.media_type,
        example='{"line":1,"status":201,"id":"019ad0f2-6c1e-7d43-9f0b-3c1d2e4f5a6b","partition":7,"offset":4211}\n'
        '{"line":2,"status":422,"detail":[{"type":"missing","loc":["body","content"],"msg":"Field required"}]}\n',
    ),
}
