"""A program of the local stack as a child process: started, asked whether it is ready, stopped, killed."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from cli.errors import CommandError, Interrupted

LAST_LINES = 15
LOOK_SECONDS = 0.05
NEVER = threading.Event()


class ChildProcess(ABC):
    """Its output goes to a log file. It leads a process group of its own: Ctrl-C in the terminal does not reach it, and
    when it ends so does whatever it started.

    What was stopped or killed through this object stays down; what dies by itself is the supervisor's to start again.
    All methods may be called from any thread.
    """

    grace_seconds = 30.0
    """From SIGTERM to SIGKILL."""

    def __init__(self, name: str, log_path: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.log_path = log_path
        self.wanted = False
        """Whether it should be running."""
        self.exit_status: int | None = None
        """Of the last one that ended, as subprocess gives it: negative for a signal."""
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self._keep_earlier_log = True
        self._lock = threading.RLock()

    @abstractmethod
    def command(self) -> list[str]:
        """What to run, with the ports chosen last."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Asks the program itself. Answers within seconds, whatever the program does."""

    @abstractmethod
    def choose_ports(self) -> bool:
        """Takes other ports, because somebody has these; False where they are not ours to choose."""

    def environment(self) -> dict[str, str]:
        """The variables to run it with."""
        return dict(self._environment)

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process else None

    @property
    def running(self) -> bool:
        with self._lock:
            if self._process is None:
                return False
            if psutil.Process(self._process.pid).status() == psutil.STATUS_ZOMBIE:
                self._end()
                return False
            return True

    def start(self) -> None:
        """Returns at once: see wait_ready. Does nothing when it is running."""
        with self._lock:
            self.wanted = True
            if self.running:
                return
            self.log_path.parent.mkdir(parents=True, exist_ok=True)
            if self._keep_earlier_log and self.log_path.exists():
                self.log_path.replace(self.log_path.with_name(f"{self.log_path.name}.1"))
            self._keep_earlier_log = False
            with self.log_path.open("ab") as log:
                self._log_start = log.tell()
                self._process = subprocess.Popen(
                    [*_dying_with_us(), *self.command()],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=self.environment(),
                    process_group=0,
                )

    def start_if_wanted(self) -> None:
        """For the supervisor: a stop that came in the meantime wins."""
        with self._lock:
            if self.wanted:
                self.start()

    def wait_ready(self, within_seconds: float, interrupted: threading.Event = NEVER) -> None:
        """Raises CommandError, with the end of its output, if it ends or the time is up; Interrupted if that is set.

        Starts it again with other ports when it ended because somebody took its port between our choice and its bind.
        """
        deadline = time.monotonic() + within_seconds
        while not (self.running and self.is_ready()):
            if interrupted.wait(LOOK_SECONDS):
                raise Interrupted
            if time.monotonic() > deadline:
                raise CommandError(f"{self.name} was not ready within {within_seconds:g} s. {self._last_words()}")
            if not self.running:
                if "address already in use" in self._output().lower() and self.choose_ports():
                    self.start()
                else:
                    raise CommandError(f"{self.name} {self.ending} before it was ready. {self._last_words()}")

    def terminate(self) -> None:
        """Asks it to end, does not wait: so that several can end at the same time."""
        with self._lock:
            self.wanted = False
            if self.running and self._process:
                self._process.terminate()

    def stop(self) -> None:
        """SIGTERM, and after the grace SIGKILL."""
        with self._lock:
            self.terminate()
            deadline = time.monotonic() + self.grace_seconds
            while self.running and time.monotonic() < deadline:
                time.sleep(LOOK_SECONDS)
            self._end()

    def kill(self) -> None:
        """SIGKILL, as in a crash, and it stays down until start()."""
        with self._lock:
            self.wanted = False
            self._end()

    @property
    def ending(self) -> str:
        """How it ended, as the end of a sentence."""
        if self.exit_status is None or self.exit_status >= 0:
            return f"ended with status {self.exit_status}"
        return f"was ended by {signal.Signals(-self.exit_status).name}"

    def _end(self) -> None:
        """Ends its whole process group and takes its exit status.

        The group's number can't have become a stranger's: until the status is taken, the kernel keeps it.
        """
        if self._process is None:
            return
        with suppress(ProcessLookupError, PermissionError):  # macOS says the latter when only a zombie is left
            os.killpg(self._process.pid, signal.SIGKILL)
        self.exit_status = self._process.wait()
        self._process = None

    def _output(self) -> str:
        """What this start of it has written."""
        with self.log_path.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def _last_words(self) -> str:
        lines = self._output().rstrip().splitlines()[-LAST_LINES:]
        return "\n    ".join([f"Its output, {self.log_path}, ends with:" if lines else "It wrote nothing.", *lines])


def _dying_with_us() -> list[str]:
    """On Linux: the command in front of another that has the kernel kill it when we are gone, even by SIGKILL.

    The kernel watches the thread that started the child, so only the main thread may ask for it. A command and not a
    preexec_fn, because that would make subprocess fork, and threads of gRPC in us do not survive a fork: now and then
    they abort the child before it has begun.
    """
    setpriv = shutil.which("setpriv") if threading.current_thread() is threading.main_thread() else None
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv and sys.platform == "linux" else []
