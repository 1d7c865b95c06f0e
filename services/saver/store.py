"""Firestore as the saver needs it: read a ledger, commit a batch together with its next version."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.api_core import exceptions
from google.cloud.firestore_v1 import SERVER_TIMESTAMP
from google.cloud.firestore_v1.types import CommitRequest, Write

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
        client = self._places.client
        first = client.batch()
        reference = self._places.ledger(topic_id, partition)
        document = ledger | {"updated_at": SERVER_TIMESTAMP}
        if on.update_time is None:
            first.create(reference, document)
        else:
            first.update(reference, document, option=client.write_option(last_update_time=on.update_time))
        request = CommitRequest(database=client._database_string)
        # Into the message itself: WriteBatch.commit copies all writes once more, and makes objects of all results.
        CommitRequest.pb(request).writes.extend(map(Write.pb, [*first._write_pbs, *count_writes(batch, self._places)]))
        try:
            response = client._firestore_api.commit(
                request, retry=None, timeout=self._seconds, metadata=client._rpc_metadata
            )
        except MOVED as error:
            raise StoreMoved(str(error)) from error
        except exceptions.InvalidArgument as error:
            raise StoreRefused(str(error)) from error
        except exceptions.GoogleAPIError as error:
            raise StoreUnavailable(str(error)) from error
        return Version(response.write_results[0].update_time)
