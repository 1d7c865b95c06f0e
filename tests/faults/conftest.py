"""How long the faults last, and the seed that says which they are."""

import os
import random
import sys
from collections.abc import Callable

import pytest

SEEDS = 1_000_000


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("faults")
    group.addoption("--rounds", type=int, default=1, help="Rounds of all kinds of faults, in random order.")
    group.addoption("--minutes", type=float, default=0.0, help="Begin another round until so much time has passed.")
    group.addoption("--seed", type=int, default=None, help="Which faults, in which order. Random by default.")
    group.addoption("--rate", type=float, default=40.0, help="Posts a second while the faults happen.")


def pytest_configure() -> None:
    os.environ.setdefault("NAMEDROP_FAULTS_SEED", str(random.randrange(SEEDS)))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The seed becomes part of the test's name, so that it is seen wherever the test is."""
    if "seed" in metafunc.fixturenames:
        # By way of the environment: pytest-xdist's workers must collect tests of the same names.
        drawn = int(os.environ["NAMEDROP_FAULTS_SEED"])
        given = option(metafunc.config, "seed", None)
        seed = drawn if given is None else given
        metafunc.parametrize("seed", [seed], ids=[f"SEED={seed}"])


def option(config: pytest.Config, name: str, default: object) -> object:
    """Of an option above; its default when this file was read too late for options, as in a run of all tests."""
    return config.getoption(name, default)


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints a line past pytest's capturing: what a long run does is seen while it does it."""

    def show(line: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()

    return show
