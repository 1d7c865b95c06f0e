"""How names become keys: which spellings are one publication or one entity, and their Firestore ids."""

import hashlib
import re
import string
import unicodedata
from functools import lru_cache
from urllib.parse import quote

PUBLICATION_KEY_MAX_BYTES = 1500
"""Firestore's limit for a document id; a publication whose key is longer is refused at the door."""

DOCUMENT_ID_MAX_BYTES = 1500
"""https://firebase.google.com/docs/firestore/quotas: a document id has at most 1,500 bytes."""

LAST_CHARACTER = "\U0010ffff"
"""Sorts behind all others in Firestore."""

_QUOTES = "\"'`´‘’‚‛“”„‟«»‹›「」『』〈〉《》"
_EDGES = _QUOTES + string.punctuation + "–—‒―…·•、。，；：？！¿¡" + string.whitespace
_LEADING_THE = re.compile(r"the\s+(?=\S)")
_TRAILING_POSSESSIVE = re.compile(r"(?<=\w)(['’]s|(?<=s)['’])$")
_FORBIDDEN = re.compile(r"\.\.?|__.*__")
_ESCAPED = re.compile(r"[%/\x00-\x1f\x7f-\x9f]")


def publication_key(name: str) -> str:
    """The one key of a publication's spellings: "The  Verge " and "the verge" are both "the verge".

    NFKC, case folded, white space collapsed and stripped; empty when nothing visible is left.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(folded.split())


@lru_cache(maxsize=65_536)  # news repeats its names, and each mention passes here more than once
def canonical_entity(mention: str) -> str:
    """The form on which mentions are compared: "the European Union", "European Union's" and "EUROPEAN UNION" agree.

    NFKC, case folded, white space collapsed; surrounding quotes and punctuation, a leading "the" and a trailing
    "'s" removed, until nothing changes. Empty when the mention holds no letter or digit: no entity then.
    """
    text = publication_key(mention)
    before = None
    while text != before:
        before = text
        # "Yahoo!" and "yahoo" agree; a final full stop goes too, so "U.S." and "U.S" agree.
        text = _TRAILING_POSSESSIVE.sub("", text.strip(_EDGES))
        text = _LEADING_THE.sub("", text) if _LEADING_THE.match(text) else text
    return text if any(character.isalnum() for character in text) else ""


def document_id(name: str) -> str:
    """`name` as a Firestore document id: readable, unique, and allowed.

    "%", "/" and control characters are percent-encoded. ".", ".." and "__…__", which Firestore forbids
    (https://firebase.google.com/docs/firestore/quotas), get a "%" at their end, so that they still begin as they did.
    Over 1,500 bytes the end is replaced by a SHA-256 of the whole name. Neither mark begins an escape: no name's own
    id can look like that. Raises ValueError for an empty name, which has no id.
    """
    if not name:
        raise ValueError("an empty name has no document id")
    escaped = _escaped(name)
    if _FORBIDDEN.fullmatch(escaped):
        escaped += "%"
    encoded = escaped.encode()
    if len(encoded) <= DOCUMENT_ID_MAX_BYTES:
        return escaped
    return _cut(escaped) + "%." + hashlib.sha256(encoded).hexdigest()


def document_id_range(prefix: str) -> tuple[str, str]:
    """The least and the greatest id that a document may have whose name begins with `prefix`.

    Of a prefix beyond 1,434 bytes only those count, as in the ids of such names.
    """
    begin = _cut(_escaped(prefix))
    first = begin + "\x01" if _FORBIDDEN.fullmatch(begin) else begin  # behind it, and before all: no id holds a \x01
    return first, begin + LAST_CHARACTER


def path_segment(name: str) -> str:
    """`name` as one part of a URL's path. Clients and proxies take "." and ".." for steps, however escaped, but not
    with a space before them, which makes no other publication."""
    return quote(f" {name}" if name in {".", ".."} else name, safe="")


def _cut(escaped: str) -> str:
    """As much as there is room for before "%." and a digest."""
    return escaped.encode()[: DOCUMENT_ID_MAX_BYTES - len("%.") - 2 * hashlib.sha256().digest_size].decode(
        errors="ignore"
    )


def _escaped(name: str) -> str:
    return _ESCAPED.sub(lambda found: quote(found[0], safe=""), name)


def entity_id(label: str, canonical: str) -> str:
    """The document id of an entity within its publication, such as `PERSON:angela merkel`."""
    return document_id(f"{label}:{canonical}")
