"""Posts to the gateway, each tried again with the same id until it has its answer."""

import json
import random
from collections.abc import Iterator, Sequence
from threading import Event
from typing import Any

import httpx

from cli.articles import Article
from cli.errors import CommandError
from cli.gateway import reason
from shared.lifecycle import Deadline

BATCH = "/post/enqueue/batch"
FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 10.0
MAY_PASS = {408, 429, 500, 502, 503, 504}
"""Answers after which the same post may be accepted a moment later."""


class Stopped(Exception):
    """`stop` was set while posts without an answer were waiting for their next try."""


def enqueue(
    client: httpx.Client, articles: Sequence[Article], stop: Event, patience_seconds: float
) -> dict[int, str | None]:
    """Why each was refused, by line; None where it was accepted.

    articles: all with an id, which makes another try harmless. Raises CommandError when the gateway takes nothing at
    all for `patience_seconds`, or says that it never will (a wrong key); Stopped.
    """
    outcomes: dict[int, str | None] = {}
    waiting, tries, deadline = list(articles), 0, Deadline(patience_seconds)
    while waiting:
        answered, trouble, wait_seconds = _try(client, waiting)
        outcomes |= answered
        if answered:
            waiting = [article for article in waiting if article.line not in outcomes]
            tries, deadline = 0, Deadline(patience_seconds)
        if not waiting:
            break
        if deadline.passed:
            raise CommandError(f"{client.base_url} took nothing for {patience_seconds:g} seconds: {trouble}")
        most = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** min(tries, 10))
        backoff = random.uniform(most / 2, most)  # noqa: S311 (jitter, not a secret)
        if stop.wait(min(max(backoff, wait_seconds), deadline.seconds_left)):
            raise Stopped
        tries += 1
    return outcomes


def _try(client: httpx.Client, articles: list[Article]) -> tuple[dict[int, str | None], str, float]:
    """One request: the answers that are final, why there are not more, and for how many seconds the gateway asks."""
    body = b"\n".join(_encoded(article.post) for article in articles)
    try:
        response = client.post(BATCH, content=body, headers={"Content-Type": "application/x-ndjson"})
    except httpx.TransportError as error:
        return {}, str(error) or type(error).__name__, 0.0
    retry_after = response.headers.get("Retry-After", "")
    wait_seconds = float(retry_after) if retry_after.isdecimal() else 0.0
    if response.status_code in MAY_PASS:
        return {}, reason(response.status_code, response.text), wait_seconds
    if not response.is_success:
        raise CommandError(f"{client.base_url} refused the posts: {reason(response.status_code, response.text)}")
    answers, trouble = {}, "its answer broke off"
    for article, answer in zip(articles, _answers(response.text), strict=False):
        status = answer.get("status", 500)
        if status in MAY_PASS:
            trouble = reason(status, answer)
        else:
            answers[article.line] = None if status == 201 else reason(status, answer)
    return answers, trouble, wait_seconds


def _answers(text: str) -> Iterator[dict[str, Any]]:
    """One for each post, in their order; fewer when the gateway ended in the middle of it."""
    for line in text.strip().split("\n"):
        try:
            yield json.loads(line)
        except ValueError:
            return


def _encoded(post: dict[str, Any]) -> bytes:
    # backslashreplace writes a lone surrogate as JSON's own escape for it, for the gateway to judge.
    return json.dumps(post, ensure_ascii=False).encode("utf-8", "backslashreplace")
