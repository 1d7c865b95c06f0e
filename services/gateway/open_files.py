"""The process's limit on open files: each connection takes one."""

import resource
import sys

from shared.telemetry import log

OTHER_FILES = 200
"""Those that are no clients: connections to Kafka and Firestore, pipes, files."""


def room_for_connections(wanted: int) -> int:
    """How many connections there is room for, `wanted` at most. Raises the limit for that, as far as it may be raised.

    Its soft part is 1,024 under systemd and in many shells. A process without a free file can't accept, and can't
    connect to Kafka again.
    """
    soft, hard = (_number(limit) for limit in resource.getrlimit(resource.RLIMIT_NOFILE))
    files = min(max(soft, wanted + OTHER_FILES), hard)
    if files > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    room = max(1, min(wanted, files - OTHER_FILES))
    if room < wanted:
        log().warning("connections.limited", wanted=wanted, possible=room, problem=f"ulimit -n is {files}.")
    return room


def _number(limit: int) -> int:
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit
