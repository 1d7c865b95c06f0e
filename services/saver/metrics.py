"""What the saver measures."""

from prometheus_client import Counter, Gauge, Histogram

from shared.telemetry import from_zero

READY = Gauge("namedrop_saver_ready", "1 once the saver is a member of its group.")
PARTITIONS = Gauge("namedrop_saver_partitions", "Partitions of the entities topic assigned to this saver.")
LAG = Gauge("namedrop_saver_lag_records", "Records of a partition that are not read yet.", ["partition"])
OLDEST_UNSAVED = Gauge("namedrop_saver_oldest_unsaved_seconds", "Age of the oldest record taken but not saved yet.")
POSTS = Counter("namedrop_saver_posts_total", "Posts counted.")
DUPLICATES = from_zero(
    Counter(
        "namedrop_saver_duplicates_total", "Messages left out because the ledger shows them as counted.", ["caught_by"]
    ),
    *("next_offset", "sources", "recent"),
)
DEAD_LETTERS = from_zero(
    Counter("namedrop_saver_dead_letters_total", "Records sent to the dead-letter topic.", ["kind"]),
    *("empty", "not_json", "wrong_shape", "refused_by_firestore"),
)
BATCHES = Counter("namedrop_saver_batches_total", "Commits that Firestore applied.")
DOCUMENTS = Counter("namedrop_saver_documents_total", "Documents written, ledgers not counted.")
INCREMENTS = Counter("namedrop_saver_increments_total", "Counts raised in those documents.")
COMMIT_SECONDS = Histogram(
    "namedrop_saver_commit_seconds",
    "One Firestore commit, from the call to the answer.",
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)
RELOADS = from_zero(
    Counter(
        "namedrop_saver_ledger_reloads_total",
        "Times a partition went back to its ledger in Firestore, by reason.",
        ["reason"],
    ),
    *("changed", "moved", "refused", "unavailable", "went_backwards", "offset_out_of_range"),
)
LOST_RECORDS = Counter(
    "namedrop_saver_lost_records_total",
    "Records that the ledger still wanted but the topic no longer holds: their posts are not counted.",
)
