"""`namedrop` as a user runs it, but in this process."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.main import main
from tests.unit.gateway_stand_in import StandIn


@dataclass(frozen=True)
class Outcome:
    """How a command ended, and what it wrote."""

    status: int
    out: str
    err: str


class CommandLine:
    """Runs it; `gateway` is where NAMEDROP_URL points."""

    def __init__(self, gateway: StandIn, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.gateway = gateway
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def run(self, *arguments: str | Path) -> Outcome:
        self._monkeypatch.setattr(sys, "argv", ["namedrop", *map(str, arguments)])
        self._capsys.readouterr()
        try:
            status = main()
        except SystemExit as error:
            status = int(error.code or 0)
        wrote = self._capsys.readouterr()
        return Outcome(status, wrote.out, wrote.err)
