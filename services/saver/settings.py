"""Settings of the saver."""

from pydantic import Field

from shared.settings import FirestoreSettings, WorkerSettings


class SaverSettings(WorkerSettings, FirestoreSettings):
    """entities -> Firestore."""

    saver_group: str = Field("saver", min_length=1)
    """Consumer group. Offsets there are for the lag tools; the ledger in Firestore is what counts."""
    batch_max_posts: int = Field(500, ge=1)
    """Messages in one Firestore commit, also those that are left out or given up: a bound on memory."""
    batch_max_documents: int = Field(499, ge=1, le=10_000)
    """Documents in one Firestore commit, the ledger not counted. Firestore takes 10 MiB: some 20,000. More than 499 pay
    only with a long age: a larger commit takes longer, and is repeated as a whole."""
    batch_max_age_seconds: float = Field(1.0, gt=0)
    """How long an entity may wait for company. Higher: fewer writes, staler counts; docs/operations.md says how many.
    Raise the two above with it."""
    commit_threads: int = Field(4, ge=1, le=64)
    """Firestore commits under way at once, at most one per partition."""
    commit_seconds: float = Field(10.0, gt=0)
    """How long one Firestore call may take before it is taken for lost."""
    ledger_check_seconds: float = Field(15.0, gt=0)
    """How often an idle partition looks whether its ledger is still there: a Firestore that was wiped or put back to
    an earlier state is counted up again from there."""
    shutdown_seconds: float = Field(20.0, gt=0)
    """How long SIGTERM waits for the batches in hand."""
