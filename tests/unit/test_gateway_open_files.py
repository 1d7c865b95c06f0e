"""A file for each connection."""

import subprocess
import sys

import pytest

ASK = """
import resource
from services.gateway.open_files import room_for_connections
print(room_for_connections(2000), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""
LIMITED = 'ulimit -S -n "$1" && ulimit -H -n "$2" && exec "$3" -c "$4"'


@pytest.mark.parametrize(
    ("soft", "hard", "room", "raised"),
    [(300, 4000, 2000, 2200), (4000, 4000, 2000, 4000), (300, 1000, 800, 1000), (100, 100, 1, 100)],
)
def test_the_limit_is_raised_as_far_as_it_may_be(soft: int, hard: int, room: int, raised: int) -> None:
    """Where that is not far enough there are fewer connections, and the log says so."""
    command = ["sh", "-c", LIMITED, "sh", str(soft), str(hard), sys.executable, ASK]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert said.splitlines()[-1] == f"{room} {raised} {hard}"
    assert ("connections.limited" in said) == (room < 2000)
