"""What several unit tests need."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.command_line import CommandLine
from tests.unit.gateway_stand_in import KEY, stand_in


@pytest.fixture
def namedrop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[CommandLine]:
    """The command line before a stand-in of the gateway. Its state is the test's own, and no local stack is running."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with stand_in() as gateway:
        monkeypatch.setenv("NAMEDROP_URL", gateway.url)
        monkeypatch.setenv("NAMEDROP_API_KEY", KEY)
        monkeypatch.setenv("NAMEDROP_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        yield CommandLine(gateway, capsys, monkeypatch)
    for number, handler in before.items():
        signal.signal(number, handler)
