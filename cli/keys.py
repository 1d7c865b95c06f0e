"""`namedrop keys`: API keys for the gateway."""

import hashlib
import re
import secrets
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Make API keys for the gateway.")

NAME = re.compile(r"[^\s:,]+")


def new_key() -> str:
    """256 random bits: nobody guesses it, so a plain SHA-256 is enough to keep of it."""
    return secrets.token_urlsafe(32)


def entry(name: str, key: str) -> str:
    """What API_KEYS, or a line of API_KEYS_FILE, holds for this key."""
    return f"{name}:{hashlib.sha256(key.encode()).hexdigest()}"


@app.callback()
def keys() -> None:
    """Make API keys for the gateway."""


@app.command()
def new(name: Annotated[str, typer.Argument(help="Whose key it is; shows up in logs and metrics.")]) -> None:
    """Make a key and print it, once. Nothing is stored: give the key to NAME, and the entry to the gateway."""
    if not NAME.fullmatch(name):
        raise typer.BadParameter("must have neither white space, nor a colon, nor a comma", param_hint="NAME")
    key = new_key()
    typer.echo(f"Key for {name}, shown only now:\n{key}\n\nEntry for API_KEYS or API_KEYS_FILE:\n{entry(name, key)}")
