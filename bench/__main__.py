"""Measures, prints a table, writes results.json and README.md: `make bench`, `python -m bench --help`."""

import json
import platform
import subprocess
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import psutil
import typer
from rich.console import Console

from bench import costs, end_to_end, extractor, gateway, memory, saver, scale_out, startup
from bench.harness import Figure
from bench.report import in_readme, merged, table
from bench.site import Site
from tests.servers import start_servers

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
README = HERE / "README.md"
MEASUREMENTS: dict[str, Callable[[Site], list[Figure]]] = {
    "extractor": extractor.measure,
    "scale_out": scale_out.measure,
    "gateway": gateway.measure,
    "saver": saver.measure,
    "costs": costs.measure,
    "end_to_end": end_to_end.measure,
    "memory": memory.measure,
    "startup": startup.measure,
}
PACKAGES = ("confluent-kafka", "fastapi", "google-cloud-firestore", "pydantic", "spacy", "uvicorn")


def bench(
    only: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(MEASUREMENTS)}; may be repeated.")] = None,
    rounds: Annotated[int, typer.Option(help="Of each comparison.", min=1)] = 3,
) -> None:
    """Each on a broker and an emulator of its own. What was measured before and not now stays in results.json."""
    if unknown := set(only or []) - MEASUREMENTS.keys():
        raise typer.BadParameter(f"{', '.join(unknown)}: choose from {', '.join(MEASUREMENTS)}")
    for name in only or MEASUREMENTS:
        with TemporaryDirectory(prefix="namedrop-bench-") as folder, start_servers(Path(folder)) as servers:
            figures = MEASUREMENTS[name](Site(servers, Path(folder), rounds))
        Console().print(table(name, figures))
        earlier = json.loads(RESULTS.read_text())["results"] if RESULTS.exists() else []
        results = merged(earlier, [each.document() for each in figures])
        RESULTS.write_text(json.dumps({**circumstances(), "results": results}, indent=2, ensure_ascii=False) + "\n")
        README.write_text(in_readme(README.read_text(), results))


def circumstances() -> dict[str, Any]:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True, cwd=HERE
    )
    return {
        "machine": {
            "cpu": cpu_model(),
            "cores": psutil.cpu_count(),
            "memory_gib": round(psutil.virtual_memory().total / 2**30),
            "system": platform.platform(terse=True),
            "load_average": round(psutil.getloadavg()[2], 1),
        },
        "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
        "commit": commit.stdout.strip(),
    }


def cpu_model() -> str:
    """As Linux calls it; elsewhere what Python knows."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.processor())


if __name__ == "__main__":
    typer.run(bench)
