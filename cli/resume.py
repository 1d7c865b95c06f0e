"""Where a load stopped, so that the same command goes on from there."""

import hashlib
import json
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FIRST_PLACES = 5
"""Places remembered for each reason of refusal."""


@dataclass
class Progress:
    """What has been answered of a list of files, in their order: all before the line `next_line` of file number
    `file`, and nothing from there on."""

    file: int = 0
    next_line: int = 1
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """How many, by reason."""
    refused_at: dict[str, list[str]] = field(default_factory=dict)
    """The first few places of each reason, as file:line."""

    @property
    def begun(self) -> bool:
        return self.file > 0 or self.next_line > 1

    @property
    def answered(self) -> int:
        return self.accepted + self.refused.total()

    def refuse(self, reason: str, place: str) -> None:
        self.refused[reason] += 1
        places = self.refused_at.setdefault(reason, [])
        if len(places) < FIRST_PLACES:
            places.append(place)


def state_file(*identity: Any) -> Path:
    """Holds the progress of this very load: files of the same bytes, read in the same way, to the same gateway."""
    name = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:32]
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "namedrop" / "loads" / f"{name}.json"


def read_progress(path: Path) -> Progress:
    """From the start where there is no such file, or one that nothing can be made of."""
    try:
        stored = json.loads(path.read_text())
        return Progress(**stored | {"refused": Counter(stored["refused"])})
    except (OSError, ValueError, TypeError, KeyError):
        return Progress()


def write_progress(path: Path, progress: Progress) -> None:
    """Replaces the file at once, so that a kill leaves the old or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(vars(progress)))
    new.replace(path)
