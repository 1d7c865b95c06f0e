"""The folder of one local stack: `.namedrop` where you are, or the one that NAMEDROP_HOME names."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from cli.errors import CommandError

SIGN = "THIS-IS-NAMEDROPS"
SIGN_TEXT = "Data and logs of a local namedrop stack. `namedrop down --wipe` removes this folder and all in it.\n"
CLAIM_SECONDS = 1.0
LOOK_SECONDS = 0.05


class Home:
    """What is where in it, and who has it: at most one running stack."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.kafka = self.path / "kafka"
        self.logs = self.path / "logs"
        self.state = self.path / "stack.json"
        self._stopped = self.path / "stopped"
        self._lock = self.path / "lock"
        self._sign = self.path / SIGN

    @property
    def exists(self) -> bool:
        """Whether there has been a stack."""
        return self._sign.exists()

    def make(self) -> None:
        """Raises CommandError for a folder with other things in it: --wipe would remove them."""
        if not self.exists:
            if self.path.exists() and any(self.path.iterdir()):
                raise CommandError(f"{self.path} holds something else. Set NAMEDROP_HOME to a new or empty folder.")
            self.path.mkdir(parents=True, exist_ok=True)
            self._sign.write_text(SIGN_TEXT)
            (self.path / ".gitignore").write_text("*\n")

    def stopped_kinds(self) -> set[str]:
        """The services that `namedrop stop` wants down, such as {"saver"}."""
        try:
            return set(self._stopped.read_text().split())
        except FileNotFoundError:
            return set()

    def stop_kinds(self, kinds: set[str]) -> None:
        new = self._stopped.with_suffix(".new")
        new.write_text("\n".join(sorted(kinds)))
        new.replace(self._stopped)

    def wipe(self) -> None:
        """Removes the folder, if it is one of ours."""
        if self.exists:
            shutil.rmtree(self.path)

    @contextmanager
    def claim(self, within_seconds: float = CLAIM_SECONDS) -> Iterator[None]:
        """Holds the folder for one stack. The kernel lets go of it with the process, however that ends.

        Raises CommandError when another has it longer than that; the moment that `holder` takes is waited for.
        """
        deadline = time.monotonic() + within_seconds
        with self._lock.open("a+") as lock:
            while not _locked(lock, fcntl.LOCK_EX):
                if time.monotonic() > deadline:
                    raise CommandError(
                        f"A stack is running in {self.path} already. End it with `namedrop down`, "
                        "or start another one beside it with NAMEDROP_HOME set to another folder."
                    )
                time.sleep(LOOK_SECONDS)
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield

    def holder(self) -> int | None:
        """Process id of the stack that is running here."""
        try:
            with self._lock.open() as lock:
                return None if _locked(lock, fcntl.LOCK_SH) else int(lock.read() or 0) or None
        except FileNotFoundError:
            return None


def _locked(file: IO[str], mode: int) -> bool:
    try:
        fcntl.flock(file, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def home_of(environment: Mapping[str, str]) -> Home:
    """The stack that a command means."""
    return Home(Path(environment.get("NAMEDROP_HOME") or ".namedrop"))
