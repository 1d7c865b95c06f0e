"""Where things are in Firestore: the client, and one name for each path.

    publications/{publication id}                  name, articles, mentions, updated_at
    publications/{publication id}/entities/{id}    text, label, canonical, publication, count, updated_at
    ledger/{entities topic id}-{partition}         see services/saver/ledger.py

All of it below FIRESTORE_ROOT, where that is set.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from google.auth.exceptions import DefaultCredentialsError
from google.cloud.firestore_v1 import Client, CollectionReference, DocumentReference, base_client
from google.cloud.firestore_v1.query import CollectionGroup

from shared.names import document_id
from shared.settings import FirestoreSettings, refuse

# Where Firestore was away for long, gRPC looks for it every two minutes only, and the client has no setting for that.
for _options in (base_client._GRPC_MSG_SIZE_OPTIONS, base_client._DEFAULT_CHANNEL_OPTIONS):
    _options.append(("grpc.max_reconnect_backoff_ms", 2000))


@contextmanager
def open_firestore(settings: FirestoreSettings) -> Iterator["Places"]:
    """As connect() does; without credentials the process ends."""
    try:
        places = connect(settings)
    except (DefaultCredentialsError, OSError) as error:
        refuse(f"Firestore: {error} Or set FIRESTORE_EMULATOR_HOST to use an emulator.")
    try:
        yield places
    finally:
        places.client.close()


def connect(settings: FirestoreSettings) -> "Places":
    """Lazily: that Firestore is away shows at the first call, not here. Raises DefaultCredentialsError or OSError."""
    client = Client(project=settings.google_cloud_project, database=settings.firestore_database)
    return Places(client, settings.firestore_root)


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

    def name(self, reference: DocumentReference) -> str:
        """What Firestore's protocol calls a document."""
        return f"{self.client._database_string}/documents/{reference.path}"

    @property
    def all_entities(self) -> CollectionGroup:
        """The entities of every publication of every root: Firestore knows such queries for a whole database only."""
        group: CollectionGroup = self.client.collection_group("entities")
        return group

    def ledger(self, topic_id: str, partition: int) -> DocumentReference:
        return self.client.collection(f"{self._prefix}ledger").document(f"{topic_id}-{partition}")
