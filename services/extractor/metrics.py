"""What the extractor measures."""

from prometheus_client import Counter, Gauge, Histogram

from shared.telemetry import from_zero

READY = Gauge("namedrop_extractor_ready", "1 once the extractor is a member of its group.")
PARTITIONS = Gauge("namedrop_extractor_partitions", "Partitions of the posts topic assigned to this extractor.")
LAG = Gauge("namedrop_extractor_lag_records", "Records of a partition that are not read yet.", ["partition"])
ARTICLES = Counter("namedrop_extractor_articles_total", "Posts extracted and handed over.")
TOKENS = Counter("namedrop_extractor_tokens_total", "Tokens that went through the model.")
BATCH_POSTS = Histogram(
    "namedrop_extractor_batch_posts", "Posts in a transaction.", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256)
)
MODEL_SECONDS = Histogram(
    "namedrop_extractor_model_seconds",
    "Time of a batch in the model.",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)
DEAD_LETTERS = from_zero(
    Counter("namedrop_extractor_dead_letters_total", "Records sent to the dead-letter topic.", ["kind"]),
    *("empty", "not_json", "wrong_shape", "model_failed", "too_many_entities"),
)
TRANSACTIONS = from_zero(
    Counter("namedrop_extractor_transactions_total", "Kafka transactions, by how they ended.", ["outcome"]),
    *("committed", "aborted"),
)
RESETS = Counter(
    "namedrop_extractor_offset_resets_total",
    "Times the topic no longer held the group's offset: posts may have been lost before they were extracted.",
)
