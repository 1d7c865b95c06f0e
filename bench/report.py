"""Where the figures go: a table, bench/results.json, and the one in bench/README.md."""

import json
import os
import platform
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from rich.table import Table

from bench.harness import Result, shown
from cli import output

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results.json"
PAGE = FOLDER / "README.md"
FIGURES = re.compile(r"(?<=<!-- figures -->\n).*(?=<!-- /figures -->)", re.DOTALL)
PACKAGES = (
    "confluent-kafka",
    "fastapi",
    "google-cloud-firestore",
    "grpcio",
    "numpy",
    "pydantic",
    "spacy",
    "uvicorn",
)


def keep(results: Sequence[Result], ran: Iterable[str]) -> None:
    """Puts the results of the benchmarks that `ran` in the place of their earlier ones, in both files."""
    old = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    whole = {
        "machine": machine(),
        "versions": versions(),
        "commit": commit(),
        "results": merged(old.get("results", []), [asdict(each) for each in results], set(ran)),
    }
    RESULTS.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(FIGURES.sub(lambda _: f"\n{markdown(whole)}\n", page), encoding="utf-8")


def merged(old: list[dict[str, Any]], new: list[dict[str, Any]], ran: set[str]) -> list[dict[str, Any]]:
    """The new results, and the old ones of benchmarks that did not run; each benchmark's together, by name of it."""
    kept = [each for each in old if _benchmark(each) not in ran]
    return sorted([*kept, *new], key=_benchmark)


def _benchmark(result: dict[str, Any]) -> str:
    return str(result["name"]).partition(".")[0]


def show(results: Iterable[Result]) -> None:
    output.out.print(table(results))


def table(results: Iterable[Result]) -> Table:
    """For the terminal."""
    made = output.new_table()
    made.add_column("figure", no_wrap=True)
    made.add_column("value", justify="right")
    made.add_column("unit")
    made.add_column("goal")
    made.add_column("rounds")
    for each in results:
        colour = {True: "green", False: "red", None: "default"}[each.holds]
        value = f"[{colour}]{shown(each.value)}[/{colour}]"
        made.add_row(each.name, value, each.unit, each.goal or "", rounds_shown(each.rounds, each.disturbed))
    return made


def rounds_shown(rounds: Sequence[float], disturbed: Sequence[int]) -> str:
    """Those that were disturbed carry a mark."""
    if len(rounds) == 1:
        return "one only"
    return ", ".join(
        shown(each) + (" (disturbed)" if number in disturbed else "") for number, each in enumerate(rounds, 1)
    )


def markdown(whole: dict[str, Any]) -> str:
    """The machine and the figures, for bench/README.md."""
    machine, versions = whole["machine"], whole["versions"]
    lines = [
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']:g} GiB, {machine['system']}, "
        f"Python {versions['python']}, spaCy {versions['spacy']}, confluent-kafka {versions['confluent-kafka']}; "
        f"commit {whole['commit']}. The load average when the last run ended was {machine['load_average']:g}.",
        "",
        "| figure | value | unit | goal | holds | rounds |",
        "|---|---:|---|---|---|---|",
    ]
    for each in whole["results"]:
        holds = {True: "yes", False: "**no**", None: ""}[each["holds"]]
        rounds = rounds_shown(each["rounds"], each["disturbed"])
        value, goal = shown(each["value"]), each["goal"] or ""
        lines.append(f"| {each['name']} | {value} | {each['unit']} | {goal} | {holds} | {rounds} |")
    return "\n".join([*lines, ""])


def machine() -> dict[str, Any]:
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 1024**3, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "load_average": round(os.getloadavg()[0], 2),
    }


def versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{package: version(package) for package in PACKAGES}}


def commit() -> str:
    """As git calls it, `-dirty` behind it where there are changes; "unknown" without git."""
    # What a run itself writes is no change of what it measures.
    ours = [f":!{path.relative_to(FOLDER.parent)}" for path in (RESULTS, PAGE)]
    try:
        named = _git("rev-parse", "--short", "HEAD")
        return named + ("-dirty" if _git("status", "--porcelain", "--untracked-files=no", "--", ".", *ours) else "")
    except (FileNotFoundError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=FOLDER.parent, capture_output=True, text=True, check=True).stdout.strip()


def _cpu() -> str:
    try:
        found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except FileNotFoundError:
        found = None
    return found[1] if found else platform.processor()
