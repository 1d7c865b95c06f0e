"""stack.json: what runs in a local stack, and where. Other commands read it, and `namedrop down` cleans up after it."""

import os
from pathlib import Path

import psutil
from pydantic import BaseModel, ValidationError

from cli.home import Home

STACK_ID = "NAMEDROP_STACK"
"""Environment variable with the stack's id, in every process that it started and whatever those start."""


class RunningProcess(BaseModel):
    """One that answers by name to `logs/<name>.log`."""

    pid: int | None
    """None while it is down."""
    metrics_url: str | None = None
    """Of the gateway, the extractors and the savers."""


class StackState(BaseModel):
    """The file's content. It holds an API key, so only its owner may read it."""

    id: str
    ready: bool
    """False while it starts."""
    supervisor: int
    """Process id of `namedrop up`."""
    bootstrap_servers: str
    firestore_emulator_host: str
    project: str
    gateway_url: str
    """Empty until the services start."""
    api_key: str
    topics: dict[str, str]
    """Their names: posts, entities, posts_dlq, entities_dlq."""
    groups: dict[str, str]
    """Consumer groups: extractor, saver."""
    processes: dict[str, RunningProcess]

    def environment(self) -> dict[str, str]:
        """What a service, or a command that uses the services' settings, needs to work with this stack."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "FIRESTORE_EMULATOR_HOST": self.firestore_emulator_host,
            "GOOGLE_CLOUD_PROJECT": self.project,
        }

    def write(self, path: Path) -> None:
        """Replaces the file at once; readable by its owner only from its first byte."""
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(self.model_dump_json(indent=2) + "\n")
        new.replace(path)

    def left_behind(self) -> list[psutil.Process]:
        """Whatever still carries this stack's id, though its supervisor may be long gone."""
        return [process for process in psutil.process_iter() if _stack_id(process) == self.id]


def read_state(home: Home) -> StackState | None:
    """None when there is no such file, or one that makes no sense: then nothing of ours can be found."""
    try:
        return StackState.model_validate_json(home.state.read_text())
    except (FileNotFoundError, ValidationError):
        return None


def running_state(home: Home) -> StackState | None:
    """The stack that runs here and is ready, if any."""
    holder = home.holder()
    state = read_state(home) if holder else None
    return state if state and state.ready and state.supervisor == holder else None


def _stack_id(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(STACK_ID)
    except psutil.Error:  # gone, a zombie, or somebody else's
        return None
