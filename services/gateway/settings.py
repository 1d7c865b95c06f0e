"""Settings of the gateway."""

from pathlib import Path

from pydantic import Field, SecretStr

from shared.messages import CONTENT_MAX_CHARS
from shared.settings import CommonSettings, FirestoreSettings

MIB = 1024 * 1024


class GatewaySettings(CommonSettings, FirestoreSettings):
    """HTTP -> posts, and the read side over Firestore."""

    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 in a container."""
    port: int = Field(8000, ge=0, le=65535)
    """Port to listen on; 0 takes a free one and logs it."""
    workers: int = Field(1, ge=1, le=64)
    """Processes that share the port. The limits below hold for each of them."""
    api_keys: SecretStr = SecretStr("")
    """Who may post: `name:digest,name:digest`, as `namedrop keys new NAME` prints them."""
    api_keys_file: Path | None = None
    """File with one `name:digest` a line, read again when it changes. May be used together with API_KEYS."""
    reads_need_key: bool = False
    """Whether the read routes ask for an API key too."""
    content_max_chars: int = Field(CONTENT_MAX_CHARS, ge=1, le=CONTENT_MAX_CHARS)
    """Characters of `content` in one post; longer ones are refused."""
    connections_max: int = Field(2000, ge=1)
    """Connections at once. When there are more, those that have waited longest for their clients are closed; where
    posts are under way on all of them, new ones get a 503. Needs as many open files and 200 more (`ulimit -n`)."""
    keep_alive_seconds: int = Field(65, ge=1)
    """How long a connection may wait for its next request. Longer than load balancers keep an idle one (60 s): the side
    that sends the next request should close it."""
    head_seconds: float = Field(10.0, gt=0)
    """How long the headers of a request may take to come in, and a new connection to send its first."""
    head_max_bytes: int = Field(32 * 1024, ge=1024, le=MIB)
    """Bytes of a request's address and headers."""
    headers_max: int = Field(100, ge=10)
    """Headers of a request."""
    body_max_bytes: int = Field(8 * MIB, ge=1024, le=8 * MIB)
    """Bytes of one request's body, or of one line of a batch."""
    body_seconds: float = Field(30.0, gt=0)
    """How long a post may take to come in, alone or as a line of a batch, and how long a client may leave its answer
    unread."""
    ack_seconds: float = Field(2.5, gt=0, le=60)
    """How long Kafka may take to acknowledge a post before its client gets a 503. Clients of the first version give up
    after 3 s."""
    in_flight_max_posts: int = Field(1000, ge=1)
    """Posts being read or waiting for their acknowledgement at once; more get a 503."""
    in_flight_max_bytes: int = Field(256 * MIB, ge=16 * MIB, le=1024 * MIB)
    """Bytes of such posts, and of what waits in the Kafka producer; more get a 503."""
    batches_max: int = Field(8, ge=1)
    """Batch requests at once; more get a 503."""
    read_seconds: float = Field(3.0, gt=0)
    """How long Firestore may take to answer a read route before its client gets a 503."""
    extractor_group: str = Field("extractor", min_length=1)
    """The extractors' consumer group, whose lag the web page shows."""
    saver_group: str = Field("saver", min_length=1)
    """The savers' consumer group, likewise."""
    shutdown_seconds: int = Field(8, ge=1)
    """How long SIGTERM waits for the requests under way."""
