"""Free ports on the loopback address, chosen by the operating system."""

import socket
from contextlib import ExitStack

LOOPBACK = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on now; somebody may a moment later, so whoever binds one can fail."""
    with ExitStack() as open_sockets:
        return [_bound(open_sockets, 0).getsockname()[1] for _ in range(count)]


def is_free(port: int) -> bool:
    """False also for a port that we may not bind, such as 80 without being root."""
    try:
        with ExitStack() as open_sockets:
            _bound(open_sockets, port)
    except OSError:
        return False
    return True


def _bound(open_sockets: ExitStack, port: int) -> socket.socket:
    bound = open_sockets.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    # As servers do: connections of a predecessor that linger in TIME_WAIT do not count as taken.
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((LOOPBACK, port))
    return bound
