"""`namedrop keys`: what it prints is what the gateway takes."""

import hashlib

import pytest

from services.gateway.keys import parse_keys
from tests.unit.command_line import CommandLine


def test_the_entry_is_that_of_the_key(namedrop: CommandLine) -> None:
    """And the key is another each time."""
    keys = set()
    for _ in range(2):
        done = namedrop.run("keys", "new", "news-desk")
        assert done.status == 0
        _, key, _, _, entry = done.out.splitlines()
        assert parse_keys(entry, "API_KEYS") == [("news-desk", hashlib.sha256(key.encode()).hexdigest())]
        keys.add(key)
    assert len(keys) == 2


@pytest.mark.parametrize("name", ["", "two words", "a:b", "a,b"])
def test_a_name_that_would_not_fit_the_entry_is_refused(namedrop: CommandLine, name: str) -> None:
    """API_KEYS is a list with commas, its entries have a colon."""
    done = namedrop.run("keys", "new", name)
    assert (done.status, done.out) == (2, "")
    assert "must have neither" in done.err
