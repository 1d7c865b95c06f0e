"""Measures everything, or one of it: `make bench`, `python -m bench --help`."""

import importlib
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from bench import report
from bench.harness import Result, say
from bench.lab import start_lab
from cli import output
from cli.errors import CommandError


class Benchmark(StrEnum):
    """Each is the module of that name, with a function `measure(lab, rounds)`."""

    EXTRACTOR = "extractor"
    SCALE_OUT = "scale_out"
    GATEWAY = "gateway"
    SAVER = "saver"
    COSTS = "costs"
    END_TO_END = "end_to_end"
    MEMORY = "memory"
    STARTUP = "startup"


def bench(
    only: Annotated[Benchmark | None, typer.Option(help="Run this one; the other results stay as they are.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each measurement is taken, in turns.")] = 3,
    scale: Annotated[float, typer.Option(help="Length of the runs: 0.1 to try something out; figures need 1.")] = 1.0,
    keep: Annotated[bool, typer.Option(help="Write bench/results.json and the table in bench/README.md.")] = True,
) -> None:
    """Measure namedrop on this machine, which should have nothing else to do.

    A real broker and the real Firestore emulator, new ones for each benchmark. Exit status 0 even where a goal is
    missed, which the table says; 1 where something could not be measured.
    """
    results: list[Result] = []
    failed = False
    for each in [only] if only else list(Benchmark):
        try:
            found = run(each, rounds, scale)
        except CommandError as error:
            output.err.print(f"{each} failed: {error}", style="red", markup=False)
            failed = True
            continue
        results += found
        if keep:
            report.keep(found, [each])
    report.show(results)
    raise typer.Exit(failed)


def run(benchmark: Benchmark, rounds: int, scale: float) -> list[Result]:
    say(f"{benchmark}:")
    with TemporaryDirectory(prefix="namedrop-bench-") as folder, start_lab(Path(folder), scale) as lab:
        found: list[Result] = importlib.import_module(f"bench.{benchmark}").measure(lab, rounds)
    return found


if __name__ == "__main__":
    typer.run(bench)
