"""Where the Firestore emulator is looked for, and in which order."""

from pathlib import Path

import pytest

from cli.emulator import find_emulator_jar
from cli.errors import CommandError


def gcloud(folder: Path, sdk: Path) -> Path:
    """A stand-in that answers `gcloud info`; returns the folder for PATH."""
    folder.mkdir()
    script = folder / "gcloud"
    script.write_text(f"#!/bin/sh\necho {sdk}\n")
    script.chmod(0o755)
    return folder


def make(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_the_variable_comes_first_then_the_cloud_sdk_then_firebase(tmp_path: Path) -> None:
    """Each is there, and each time the first one that may be used is."""
    named = make(tmp_path / "named.jar")
    in_sdk = make(tmp_path / "sdk/platform/cloud-firestore-emulator/cloud-firestore-emulator.jar")
    firebase = tmp_path / ".cache/firebase/emulators"
    make(firebase / "cloud-firestore-emulator-v1.9.1.jar")
    newest = make(firebase / "cloud-firestore-emulator-v1.19.8.jar")
    environment = {"HOME": str(tmp_path), "PATH": str(gcloud(tmp_path / "bin", tmp_path / "sdk"))}
    assert find_emulator_jar(environment | {"FIRESTORE_EMULATOR_JAR": str(named)}) == named
    assert find_emulator_jar(environment) == in_sdk
    in_sdk.unlink()
    assert find_emulator_jar(environment) == newest


def test_found_nowhere_it_says_how_to_get_one(tmp_path: Path) -> None:
    """And what else would do."""
    with pytest.raises(CommandError) as caught:
        find_emulator_jar({"HOME": str(tmp_path), "PATH": str(tmp_path)})
    for way in ("gcloud components install", "npx firebase-tools", "docker compose up"):
        assert way in str(caught.value)


def test_a_named_jar_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """Using another one silently would test something else."""
    with pytest.raises(CommandError, match="FIRESTORE_EMULATOR_JAR"):
        find_emulator_jar({"FIRESTORE_EMULATOR_JAR": str(tmp_path / "gone.jar")})
