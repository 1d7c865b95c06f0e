"""Why a request, or a line of a batch, is refused."""

from enum import StrEnum
from typing import Any


class Reason(StrEnum):
    """What metrics and the access log call it; clients see the status and the detail."""

    UNAUTHORIZED = "unauthorized"
    TOO_LARGE = "too_large"
    COMPRESSED = "compressed"
    TOO_SLOW = "too_slow"
    BROKEN_OFF = "broken_off"
    INVALID = "invalid"
    BUSY = "busy"
    NOT_ACKNOWLEDGED = "not_acknowledged"
    KAFKA_REFUSED = "kafka_refused"
    STORE_UNAVAILABLE = "store_unavailable"
    NOT_READY = "not_ready"
    NOT_FOUND = "not_found"
    OTHER = "other"


HEADERS = {
    401: {"WWW-Authenticate": "APIKey"},
    415: {"Accept-Encoding": "identity"},
    503: {"Retry-After": "1"},  # what we answer 503 for passes within seconds
}


class Refusal(Exception):
    """`detail` is FastAPI's: a sentence, or a list of `{"type", "loc", "msg"}`. `extra` goes beside it."""

    def __init__(self, status: int, reason: Reason, detail: str | list[dict[str, Any]], **extra: str | None) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.extra = extra

    @property
    def headers(self) -> dict[str, str]:
        return HEADERS.get(self.status, {})

    @property
    def content(self) -> dict[str, Any]:
        return {"detail": self.detail, **self.extra}


def busy(what: str) -> Refusal:
    """For what was turned away before anything was stored."""
    return Refusal(503, Reason.BUSY, f"{what} Nothing was stored; send it again in a moment.")


def too_large(max_bytes: int, what: str = "The body") -> Refusal:
    return Refusal(413, Reason.TOO_LARGE, f"{what} is larger than {max_bytes} bytes.")
