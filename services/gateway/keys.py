"""API keys: who may post. Only their digests are known here."""

import hashlib
import hmac
import re
from pathlib import Path

from services.gateway.settings import GatewaySettings
from shared.errors import NamedropError
from shared.telemetry import log

HOW = "Make one with: namedrop keys new NAME"
ENTRY = re.compile(r"(?P<name>[^\s:,]+):(?P<digest>[0-9a-fA-F]{64})")

DEVELOPMENT_DIGEST = "104c355de2bf4470ca9965e8e3cc0a4ae7c0592b27c7f8870d78f151a48da053"
"""Of "namedrop-development-key", which docker-compose.yml falls back on: everybody knows that one."""

Digests = list[tuple[str, str]]
"""Name and digest. A name may have several digests: that is how a key is replaced without a gap."""


class BadKeys(NamedropError):
    """The keys can't be used as they are; says which entry is wrong, never what is in it."""


class Keys:
    """The keys of API_KEYS and of API_KEYS_FILE, which is read again when it changes."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._fixed = parse_keys(settings.api_keys.get_secret_value(), "API_KEYS")
        self._path = settings.api_keys_file
        self._seen = _version(self._path)
        self._from_file = _read(self._path)
        _check_some_are_left(self._fixed + self._from_file)

    @property
    def open_to_everybody(self) -> bool:
        """Whether the development key is among them."""
        return any(digest == DEVELOPMENT_DIGEST for _, digest in self._fixed + self._from_file)

    def name_of(self, key: bytes) -> str | None:
        """Whose key this is. Compares with every digest, so that the time taken tells nothing."""
        self._read_again_when_changed()
        given = hashlib.sha256(key).hexdigest()
        found = None
        for name, digest in self._fixed + self._from_file:
            if hmac.compare_digest(given, digest):
                found = name
        return found

    def _read_again_when_changed(self) -> None:
        """Keeps the keys it has when the file became unusable: an editor's slip must not lock everybody out."""
        version = _version(self._path)
        if version == self._seen:
            return
        self._seen = version
        try:
            changed = _read(self._path)
            _check_some_are_left(self._fixed + changed)
        except BadKeys as error:
            log().error("keys.unusable", error=str(error), kept=len(self._from_file))
            return
        self._from_file = changed
        log().info("keys.read", names=sorted({name for name, _ in changed}))


def parse_keys(text: str, where: str) -> Digests:
    """`name:digest` entries, apart by commas or line ends; a line that begins with # is a comment.

    Raises BadKeys that names the entry and tells how to make one.
    """
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    entries = [entry.strip() for line in lines for entry in line.split(",") if entry.strip()]
    keys = []
    for number, entry in enumerate(entries, 1):
        match = ENTRY.fullmatch(entry)
        if not match:
            # What stands after the colon, or without one, may be the key itself.
            name = f" ({entry.split(':')[0]!r})" if ":" in entry else ""
            raise BadKeys(f"{where}: entry {number}{name} is not name:digest with a digest of 64 hex digits. {HOW}")
        keys.append((match["name"], match["digest"].lower()))
    return keys


def _check_some_are_left(keys: Digests) -> None:
    if not keys:
        raise BadKeys(f"There are no API keys in API_KEYS or API_KEYS_FILE, so nobody could post. {HOW}")


def _read(path: Path | None) -> Digests:
    if path is None:
        return []
    try:
        return parse_keys(path.read_text(encoding="utf-8"), f"API_KEYS_FILE={path}")
    except (OSError, UnicodeDecodeError) as error:
        raise BadKeys(f"API_KEYS_FILE={path} can't be read: {error}. {HOW}") from error


def _version(path: Path | None) -> tuple[int, ...] | None:
    """Differs when the file was written or replaced; None when it is not there."""
    if path is None:
        return None
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
