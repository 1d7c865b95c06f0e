"""Who may post."""

import hashlib
import os
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from pydantic import SecretStr

from cli.keys import entry
from services.gateway.keys import BadKeys, Keys, parse_keys
from services.gateway.settings import GatewaySettings


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def settings(api_keys: str = "", api_keys_file: Path | None = None) -> GatewaySettings:
    return GatewaySettings(api_keys=SecretStr(api_keys), api_keys_file=api_keys_file)


def test_a_key_is_known_by_its_name() -> None:
    """Entries as `namedrop keys new` prints them, apart by commas, line ends or both; # begins a comment."""
    keys = Keys(settings(f"{entry('alice', 'k1')}, {entry('bob', 'k2')}\n# gone: {entry('carol', 'k3')}\n"))
    assert keys.name_of(b"k1") == "alice"
    assert keys.name_of(b"k2") == "bob"
    assert keys.name_of(b"k3") is None
    assert keys.name_of(b"") is None
    assert keys.name_of(digest("k1").encode()) is None


def test_a_wrong_key_takes_the_same_work_as_a_right_one() -> None:
    """First, last, almost right or none: each digest is compared, by the same calls, so that time tells nothing."""
    keys = Keys(settings(",".join(entry(name, f"key-{name}") for name in "abcdefgh")))
    right, *others = [calls(keys, key) for key in (b"key-a", b"key-h", b"key-x", b"", b"k" * 10_000)]
    assert right.count("compare_digest") == 8
    assert others == [right] * len(others)


def calls(keys: Keys, key: bytes) -> list[str]:
    """The functions that are called, C functions too, while a key is looked up."""
    called = []

    def note(_frame: FrameType, event: str, function: Any) -> None:
        if event == "c_call":
            called.append(function.__name__)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        keys.name_of(key)
    finally:
        sys.setprofile(before)
    return called


def test_a_name_may_have_two_keys() -> None:
    """So that a key is replaced without a moment in which neither works."""
    keys = Keys(settings(f"{entry('alice', 'old')},{entry('alice', 'new')}"))
    assert keys.name_of(b"old") == keys.name_of(b"new") == "alice"


def test_a_digest_may_be_in_upper_case() -> None:
    """Some tools print it so."""
    assert Keys(settings(f"alice:{digest('k').upper()}")).name_of(b"k") == "alice"


@pytest.mark.parametrize("text", ["", "  \n", ",", "# nobody yet\n"])
def test_without_keys_there_is_no_gateway(text: str) -> None:
    """And the message tells how to make one."""
    with pytest.raises(BadKeys, match="namedrop keys new NAME"):
        Keys(settings(text))


@pytest.mark.parametrize("wrong", ["s3cret", "bob:s3cret", f"bob:{digest('x')}0", f":{digest('x')}", "bob"])
def test_a_malformed_entry_is_named_and_not_shown(wrong: str) -> None:
    """What stands in the digest's place may be the key itself."""
    with pytest.raises(BadKeys, match="entry 2") as refused:
        parse_keys(f"{entry('alice', 'k')},{wrong}", "API_KEYS")
    assert "s3cret" not in str(refused.value)
    assert "namedrop keys new NAME" in str(refused.value)


def test_the_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    """New keys work and old ones stop working without a restart; the keys of API_KEYS stay."""
    file = tmp_path / "keys"
    file.write_text(entry("alice", "k1") + "\n")
    keys = Keys(settings(entry("ops", "k0"), file))
    assert keys.name_of(b"k1") == "alice"
    replace(file, entry("bob", "k2"))
    assert keys.name_of(b"k1") is None
    assert keys.name_of(b"k2") == "bob"
    assert keys.name_of(b"k0") == "ops"


@pytest.mark.parametrize("content", ["bob", ""])
def test_a_file_that_became_unusable_locks_nobody_out(tmp_path: Path, content: str) -> None:
    """The keys of before go on working until it is mended."""
    file = tmp_path / "keys"
    file.write_text(entry("alice", "k1"))
    keys = Keys(settings(api_keys_file=file))
    replace(file, content)
    assert keys.name_of(b"k1") == "alice"
    file.unlink()
    assert keys.name_of(b"k1") == "alice"
    replace(file, entry("bob", "k2"))
    assert keys.name_of(b"k1") is None
    assert keys.name_of(b"k2") == "bob"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """At the start that is a mistake of the operator's."""
    with pytest.raises(BadKeys, match=r"API_KEYS_FILE=.*nowhere"):
        Keys(settings(entry("ops", "k0"), tmp_path / "nowhere"))


def replace(file: Path, content: str) -> None:
    """As editors and mounted secrets do it: another file takes its place."""
    fresh = file.with_suffix(".new")
    fresh.write_text(content)
    os.replace(fresh, file)  # noqa: PTH105 (says what it does)
