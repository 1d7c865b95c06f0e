"""Settings of the extractor."""

import os
import socket

from pydantic import Field

from shared.settings import WorkerSettings


class ExtractorSettings(WorkerSettings):
    """posts -> entities."""

    extractor_group: str = Field("extractor", min_length=1)
    """Consumer group: all extractors that share the work."""
    extractor_model: str = Field("models/en_namedrop_sm", min_length=1)
    """The spaCy model: an installed package such as en_core_web_sm, or a path. The default ships with the project."""
    instance: str = Field(default_factory=lambda: str(os.getpid()), pattern=r"^[\w.-]{1,100}$")
    """Tells the extractors of one host apart. One that comes back under its old name ends its predecessor's
    transaction at once; by default the process id, which in a container is always the same."""
    batch_max_posts: int = Field(256, ge=1)
    """Posts in one transaction."""
    batch_max_chars: int = Field(1_000_000, ge=1)
    """Characters in one transaction; a single longer post still goes alone."""
    transaction_seconds: float = Field(10.0, gt=0, le=900)
    """How long a transaction may be open: a killed extractor's holds back its readers for as long."""

    @property
    def transactional_id(self) -> str:
        return f"{self.extractor_group}-{socket.gethostname()}-{self.instance}"
