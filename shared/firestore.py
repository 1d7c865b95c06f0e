"""Where things are in Firestore: the client, and one name for each path.

    publications/{publication id}                  name, articles, mentions, updated_at
    publications/{publication id}/entities/{id}    text, label, canonical, publication, count, updated_at
    ledger/{entities topic id}-{partition}         see services/saver/ledger.py

All of it below FIRESTORE_ROOT, where that is set.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from google.cloud.firestore_v1 import Client, CollectionReference, DocumentReference
from google.cloud.firestore_v1.query import CollectionGroup

from shared.names import document_id
from shared.settings import FirestoreSettings


@contextmanager
def open_firestore(settings: FirestoreSettings) -> Iterator["Places"]:
    """Connects lazily: that Firestore is away shows at the first call, not here."""
    client = Client(project=settings.google_cloud_project, database=settings.firestore_database)
    try:
        yield Places(client, settings.firestore_root)
    finally:
        client.close()


class Places:
    """The documents and collections of one root."""

    def __init__(self, client: Client, root: str = "") -> None:
        self.client = client
        self._prefix = f"{root}/" if root else ""

    @property
    def publications(self) -> CollectionReference:
        publications: CollectionReference = self.client.collection(f"{self._prefix}publications")
        return publications

    def publication(self, publication_key: str) -> DocumentReference:
        return self.publications.document(document_id(publication_key))

    def entities(self, publication_key: str) -> CollectionReference:
        entities: CollectionReference = self.publication(publication_key).collection("entities")
        return entities

    @property
    def all_entities(self) -> CollectionGroup:
        """The entities of every publication of this root, and of no other root in the same database."""
        return CollectionGroup(self.client.collection(f"{self._prefix}entities"))

    def ledger(self, topic_id: str, partition: int) -> DocumentReference:
        return self.client.collection(f"{self._prefix}ledger").document(f"{topic_id}-{partition}")
