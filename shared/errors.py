"""What can go wrong, by who has to act.

NamedropError
├── BadRecord          the sender: this one record goes to a dead-letter topic, the loop goes on
├── MustAbort          the extractor's loop: abort the transaction, go back, go on
├── StoreUnavailable   the saver's loop: pause the partition, ask Firestore again later
├── StoreMoved         the saver's loop: another commit was there first, read the ledger again
├── StoreRefused       the saver's loop: Firestore will never take this batch, find the message at fault
└── Fatal              the operator or the supervisor: the process ends, a clean one starts
    └── TopicMissing   the operator: make the topics
"""


class NamedropError(Exception):
    """The root of the tree above."""


class BadRecord(NamedropError):
    """This record can't be processed, now or later. `kind` is the dead letter's `error.type`."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class MustAbort(NamedropError):
    """The open transaction failed in a way that `abort_transaction` and another try will mend."""


class StoreUnavailable(NamedropError):
    """Firestore did not answer in time, or its answer was lost: the commit may or may not have been applied."""


class StoreMoved(NamedropError):
    """Firestore holds another ledger than the one we wrote on: nothing of this commit was applied."""


class StoreRefused(NamedropError):
    """Firestore refuses these writes for good (INVALID_ARGUMENT, too large): nothing was applied."""


class Fatal(NamedropError):
    """This process can't go on; a fresh one may."""


class TopicMissing(Fatal):
    """A topic that the service reads or writes does not exist."""
