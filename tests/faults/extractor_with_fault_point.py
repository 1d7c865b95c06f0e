"""The extractor with two places to die: `python -m tests.faults.extractor_with_fault_point`.

A file of that name in the folder FAULT_POINTS is an order to die there; whoever removes it first obeys.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from services.extractor import loop
from services.extractor.__main__ import main
from services.extractor.transaction import transact
from shared.lifecycle import Deadline

BEFORE_COMMIT = "before-commit"
"""Its messages are at the broker, in a transaction that nobody will end."""
AFTER_COMMIT = "after-commit"
FLUSH_SECONDS = 5.0


def transact_or_die(deadline: Deadline, call: Callable[..., object], *arguments: Any) -> None:
    """As `transact`, with a place to die on either side of the commit."""
    commits = getattr(call, "__name__", "") == "commit_transaction"
    if commits and ordered(BEFORE_COMMIT):
        call.__self__.flush(FLUSH_SECONDS)  # type: ignore[attr-defined] # a producer's bound method
        os.kill(os.getpid(), signal.SIGKILL)
    transact(deadline, call, *arguments)
    if commits and ordered(AFTER_COMMIT):
        os.kill(os.getpid(), signal.SIGKILL)


def ordered(place: str) -> bool:
    order = Path(os.environ["FAULT_POINTS"]) / place
    if not order.exists():
        return False
    try:
        order.unlink()
    except FileNotFoundError:
        return False  # another extractor was quicker
    return True


if __name__ == "__main__":
    vars(loop)["transact"] = transact_or_die
    sys.exit(main())
