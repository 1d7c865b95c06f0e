"""What a commit of the saver leaves in Firestore."""

import secrets

import pytest

from services.saver.batch import Batch
from services.saver.ledger import Ledger
from services.saver.store import Store, Version
from shared.errors import StoreMoved
from shared.firestore import Places
from tests.pipeline import emulator_client
from tests.servers import Servers
from tests.unit.records import extracted


def test_commits_add_up_on_the_ledger_they_know(servers: Servers) -> None:
    """Two commits, each on the version before it; a third on one that has passed is refused and changes nothing. The
    documents have these fields and no others, and one time for all of a commit."""
    client = emulator_client(servers)
    places = Places(client, f"tests/{secrets.token_hex(4)}")
    store = Store(places, seconds=30)
    batch = Batch(0.0, 0, 0)
    batch.count(extracted("a", (0, 0), "The Verge", {"Ada": 2}))
    ledger = Ledger(next_offset=5, sources={"kF3-0": 7}, holes=["kF3-0-3"], recent=[b"12345678"])

    first = store.commit(batch, "kF3", 1, Ledger().to_document(), Version(None))
    second = store.commit(batch, "kF3", 1, ledger.to_document(), first)
    for passed in (Version(None), first):
        with pytest.raises(StoreMoved):
            store.commit(batch, "kF3", 1, Ledger().to_document(), passed)

    found, version = store.read("kF3", 1)
    assert found is not None
    assert (found.to_document(), version) == (ledger.to_document(), second)
    verge = places.publication("the verge")
    references = (verge, verge.collection("entities").document("PERSON:ada"), places.ledger("kF3", 1))
    documents = [reference.get().to_dict() or {} for reference in references]
    assert len({document.pop("updated_at") for document in documents}) == 1
    assert documents == [
        {"name": "The Verge", "articles": 2, "mentions": 4},
        {"text": "Ada", "label": "PERSON", "canonical": "ada", "publication": "the verge", "count": 4},
        ledger.to_document(),
    ]
    client.close()
