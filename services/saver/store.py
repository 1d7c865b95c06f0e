"""Firestore as the saver needs it: read a ledger, commit a batch together with its next version."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.api_core import exceptions
from google.cloud.firestore_v1 import SERVER_TIMESTAMP

from services.saver.batch import Batch
from services.saver.ledger import Ledger
from services.saver.writes import count_writes
from shared.errors import StoreMoved, StoreRefused, StoreUnavailable
from shared.firestore import Places

MOVED = (exceptions.FailedPrecondition, exceptions.AlreadyExists, exceptions.NotFound, exceptions.Aborted)
"""The ledger is not what we wrote on, or another commit was in the way. Firestore has applied nothing."""


@dataclass(frozen=True)
class Version:
    """Which version of a ledger this is, None before the first. The next is written on top of it or not at all."""

    update_time: datetime | None


class Store:
    """Reads and writes below one root. `seconds` is the limit of each call; nothing is tried twice in here."""

    def __init__(self, places: Places, seconds: float) -> None:
        self._places = places
        self._seconds = seconds

    def read(self, topic_id: str, partition: int) -> tuple[Ledger | None, Version]:
        """The ledger of an entities partition, None where nothing was counted yet. Raises StoreUnavailable."""
        try:
            snapshot = self._places.ledger(topic_id, partition).get(retry=None, timeout=self._seconds)
        except exceptions.GoogleAPIError as error:
            raise StoreUnavailable(f"Ledger {topic_id}-{partition} could not be read: {error}") from error
        document = snapshot.to_dict()
        if document is None:
            return None, Version(None)
        return Ledger.from_document(document), Version(snapshot.update_time)

    def commit(self, batch: Batch, topic_id: str, partition: int, ledger: dict[str, Any], on: Version) -> Version:
        """Adds the batch's counts and writes `ledger` on top of version `on`: all of it, or nothing.

        Raises StoreMoved and StoreRefused when nothing was applied, StoreUnavailable when that is unknown.
        """
        writes = self._places.client.batch()
        reference = self._places.ledger(topic_id, partition)
        document = ledger | {"updated_at": SERVER_TIMESTAMP}
        if on.update_time is None:
            writes.create(reference, document)
        else:
            writes.update(reference, document, option=self._places.client.write_option(last_update_time=on.update_time))
        writes._add_write_pbs(list(count_writes(batch, self._places)))
        try:
            results = writes.commit(retry=None, timeout=self._seconds)
        except MOVED as error:
            raise StoreMoved(str(error)) from error
        except exceptions.InvalidArgument as error:
            raise StoreRefused(str(error)) from error
        except exceptions.GoogleAPIError as error:
            raise StoreUnavailable(str(error)) from error
        return Version(results[0].update_time)
