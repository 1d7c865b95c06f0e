"""The folder of a stack: one stack at a time, and --wipe removes nobody else's files."""

import os
from pathlib import Path

import pytest

from cli.errors import CommandError
from cli.home import Home
from cli.running import nothing_runs


def test_one_stack_at_a_time(tmp_path: Path) -> None:
    """The second is told in one line; when the first has gone, the folder is free."""
    home = Home(tmp_path / "home")
    home.make()
    assert home.holder() is None
    with home.claim():
        assert home.holder() == os.getpid()
        with pytest.raises(CommandError, match="namedrop down"), home.claim(within_seconds=0):
            pass
    assert home.holder() is None
    with home.claim():
        pass


def test_where_a_stack_starts_one_is_told_to_wait(tmp_path: Path) -> None:
    """Starting another is no help then."""
    home = Home(tmp_path / "home")
    assert "namedrop up" in nothing_runs(home)
    home.make()
    with home.claim():
        assert "still starting" in nothing_runs(home)


def test_a_folder_with_other_things_in_it_is_neither_used_nor_wiped(tmp_path: Path) -> None:
    """NAMEDROP_HOME=~ must not cost anybody their files."""
    (tmp_path / "thesis.tex").write_text("…")
    home = Home(tmp_path)
    with pytest.raises(CommandError, match="NAMEDROP_HOME"):
        home.make()
    home.wipe()
    assert (tmp_path / "thesis.tex").exists()


def test_wiping_removes_all_of_it(tmp_path: Path) -> None:
    """Data, logs and state."""
    home = Home(tmp_path / "home")
    home.make()
    home.kafka.mkdir()
    (home.kafka / "data").write_text("…")
    home.wipe()
    assert not home.path.exists()
