"""The official Firestore emulator: where it is on this machine, and running it. It keeps documents in memory only."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from cli.errors import CommandError
from cli.java import java_command
from cli.ports import LOOPBACK, free_ports
from cli.process import ChildProcess

JAR_NAME = "cloud-firestore-emulator.jar"
MAIN_CLASS = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
READY_SECONDS = 60.0
GCLOUD_SECONDS = 60.0


class Emulator(ChildProcess):
    """A restart keeps its port and loses its documents."""

    def __init__(self, jar: Path, log_path: Path, environment: Mapping[str, str] = os.environ) -> None:
        super().__init__("firestore", log_path, environment)
        self._jar = jar
        (self.port,) = free_ports(1)

    @property
    def host(self) -> str:
        """For FIRESTORE_EMULATOR_HOST."""
        return f"{LOOPBACK}:{self.port}"

    def choose_ports(self) -> bool:
        (self.port,) = free_ports(1)
        return True

    def command(self) -> list[str]:
        # English, because the emulator knows no other language and says so.
        flags = ["-Xmx1g", "-Duser.language=en"]
        arguments = ["start", f"--host={LOOPBACK}", f"--port={self.port}"]
        return java_command(MAIN_CLASS, str(self._jar), *arguments, flags=flags)

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"http://{self.host}/", timeout=2, trust_env=False).is_success
        except httpx.HTTPError:
            return False


@contextmanager
def start_emulator(folder: Path, environment: Mapping[str, str] = os.environ) -> Iterator[Emulator]:
    """An emulator that is ready, with its log in `folder`; stopped at the end."""
    emulator = Emulator(find_emulator_jar(environment), folder / "firestore.log", environment)
    try:
        emulator.start()
        emulator.wait_ready(READY_SECONDS)
        yield emulator
    finally:
        emulator.stop()


def find_emulator_jar(environment: Mapping[str, str]) -> Path:
    """FIRESTORE_EMULATOR_JAR, else the Google Cloud SDK's, else the Firebase command line's newest.

    Raises CommandError that says how to get one.
    """
    if named := environment.get("FIRESTORE_EMULATOR_JAR"):
        if not Path(named).is_file():
            raise CommandError(f"FIRESTORE_EMULATOR_JAR={named}: there is no such file. Correct it, or unset it.")
        return Path(named)
    for jar in (_in_cloud_sdk(environment), _in_firebase_cache(environment)):
        if jar:
            return jar
    raise CommandError(
        "There is no Firestore emulator on this machine. Get it with "
        "`gcloud components install cloud-firestore-emulator` or `npx firebase-tools setup:emulators:firestore`, "
        "or use `docker compose up` instead."
    )


def _in_cloud_sdk(environment: Mapping[str, str]) -> Path | None:
    gcloud = shutil.which("gcloud", path=environment.get("PATH"))
    if not gcloud:
        return None
    command = [gcloud, "info", "--format=value(installation.sdk_root)"]
    try:
        found = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=GCLOUD_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    jar = Path(found.stdout.strip()) / "platform" / "cloud-firestore-emulator" / JAR_NAME
    return jar if jar.is_file() else None


def _in_firebase_cache(environment: Mapping[str, str]) -> Path | None:
    home = environment.get("HOME")
    jars = Path(home).glob(".cache/firebase/emulators/cloud-firestore-emulator-v*.jar") if home else []
    return max(jars, key=lambda jar: [int(number) for number in re.findall(r"\d+", jar.stem)], default=None)
