"""Asking Firestore from the event loop: in threads of its own, and never for long."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from types import TracebackType
from typing import Any, TypeAlias, TypeVar

from google.api_core.exceptions import GoogleAPICallError, InvalidArgument
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError
from google.cloud.firestore_v1 import DocumentReference, DocumentSnapshot, Query

from services.gateway.cursor import BadCursor
from services.gateway.refusal import Reason, Refusal
from services.gateway.settings import GatewaySettings
from shared.firestore import Places, connect

THREADS = 16
NEVER = Retry(predicate=lambda _error: False)  # and not None: with that, a query that fails half-way fails with it
Answer = TypeVar("Answer")
Document: TypeAlias = DocumentSnapshot[DocumentReference]


class Reader:
    """Reads of one root, each with a time limit."""

    def __init__(self, places: Places, seconds: float) -> None:
        self.places = places
        self._limits: dict[str, Any] = {"timeout": seconds, "retry": NEVER}

    def find(self, query: Query) -> list[Document]:
        return list(query.stream(**self._limits))

    def get(self, references: list[DocumentReference]) -> list[Document]:
        """In no order; also those that do not exist."""
        return list(self.places.client.get_all(references, **self._limits))


class Store:
    """Connects at the first question: posts are taken in also where Firestore, or the right to use it, is missing."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="firestore")
        self._connecting = Lock()
        self._reader: Reader | None = None

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._reader:
            self._reader.places.client.close()

    async def ask(self, question: Callable[[Reader], Answer]) -> Answer:
        """Raises Refusal: 503 when Firestore does not answer in time, 422 when it calls the cursor wrong."""
        try:
            async with asyncio.timeout(self._settings.read_seconds):
                return await asyncio.get_running_loop().run_in_executor(self._threads, self._ask, question)
        except (BadCursor, InvalidArgument) as error:
            problem = {"type": "value_error", "loc": ["query", "cursor"], "msg": str(error)}
            raise Refusal(422, Reason.INVALID, [problem]) from error
        except TimeoutError:
            raise unavailable(f"no answer within {self._settings.read_seconds:g} s") from None
        except (GoogleAPICallError, GoogleAuthError, OSError) as error:
            raise unavailable(str(error).rstrip(".")) from error

    def _ask(self, question: Callable[[Reader], Answer]) -> Answer:
        return question(self._connected())

    def _connected(self) -> Reader:
        with self._connecting:
            if self._reader is None:
                self._reader = Reader(connect(self._settings), self._settings.read_seconds)
            return self._reader


def unavailable(why: str) -> Refusal:
    return Refusal(
        503, Reason.STORE_UNAVAILABLE, f"Firestore can't be read now: {why}. Posts are taken in all the same."
    )
