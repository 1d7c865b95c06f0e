"""How a command ends when it can't do its work."""


class CommandError(Exception):
    """For the user: what, where, what to do. `namedrop` prints it on stderr, without a traceback, and exits with 1."""


class Interrupted(Exception):
    """Ctrl-C, or SIGTERM, came while something was starting."""
