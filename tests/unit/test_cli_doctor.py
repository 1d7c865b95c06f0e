"""`namedrop doctor`, and what the shell is told about the commands."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.command_line import CommandLine


def test_what_is_missing_is_named_with_its_remedy(
    namedrop: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And the exit status says that `namedrop up` would fail."""
    monkeypatch.delenv("FIRESTORE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("FIRESTORE_EMULATOR_JAR", str(tmp_path / "none.jar"))
    monkeypatch.setenv("EXTRACTOR_MODEL", "no_such_model")
    done = namedrop.run("doctor", "--json")
    assert done.status == 1
    found = {finding["what"]: finding for finding in json.loads(done.out)}
    assert found["Python"]["ok"]
    assert found["Java"]["ok"]
    assert not found["model"]["ok"]
    assert "EXTRACTOR_MODEL" in found["model"]["remedy"]
    assert "none.jar" in found["Firestore emulator"]["remedy"]


def test_people_get_a_table(namedrop: CommandLine) -> None:
    """What is there, and what is not."""
    done = namedrop.run("doctor")
    assert "Python" in done.out
    assert "openjdk" in done.out


def test_the_shell_completes_commands() -> None:
    """As `namedrop --install-completion` sets it up."""
    asked = {"_NAMEDROP_COMPLETE": "complete_bash", "COMP_WORDS": "namedrop sta", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "cli.main"], env=os.environ | asked, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["start", "status"]
