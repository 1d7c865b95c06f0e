"""Who is started again, and when."""

from pathlib import Path

from cli.process import ChildProcess
from cli.supervisor import FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS, SETTLED_SECONDS, Supervisor, next_delay_seconds


class FakeProcess(ChildProcess):
    """Lives and dies as the test says, without a process."""

    def __init__(self, broken: bool = False) -> None:
        super().__init__("fake", Path("fake.log"), {})
        self.starts = 0
        self.alive = False
        self._broken = broken

    def command(self) -> list[str]:
        return []

    def is_ready(self) -> bool:
        return self.alive

    def choose_ports(self) -> bool:
        return False

    @property
    def running(self) -> bool:
        return self.alive

    def start(self) -> None:
        if self._broken:
            raise FileNotFoundError("no such program")
        self.wanted = self.alive = True
        self.starts += 1

    def die(self) -> None:
        self.alive = False
        self.exit_status = -9


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_one_that_died_is_started_again_after_the_delay() -> None:
    """1. It dies and that is told. 2. Nothing happens before its time. 3. Then it runs again."""
    clock, told, process = Clock(), list[str](), FakeProcess()
    process.start()
    supervisor = Supervisor([process], told.append, clock)
    assert not supervisor.tick()
    process.die()
    assert supervisor.tick()
    assert "fake was ended by SIGKILL" in told[0]
    assert not supervisor.tick()
    assert not process.running
    clock.now += FIRST_DELAY_SECONDS
    assert supervisor.tick()
    assert process.running
    assert len(told) == 1


def test_one_that_was_stopped_stays_down() -> None:
    """Stopping is a wish, dying is not."""
    clock, process = Clock(), FakeProcess()
    process.start()
    supervisor = Supervisor([process], lambda _: None, clock)
    process.die()
    supervisor.tick()
    process.wanted = False
    clock.now += 100
    assert not supervisor.tick()
    assert process.starts == 1


def test_one_that_cannot_be_started_is_told_and_tried_again() -> None:
    """The supervisor itself must survive whatever a start throws at it."""
    clock, told, process = Clock(), list[str](), FakeProcess(broken=True)
    process.wanted = True
    supervisor = Supervisor([process], told.append, clock)
    for _ in range(3):
        supervisor.tick()
        clock.now += LONGEST_DELAY_SECONDS
    assert sum("could not be started: no such program" in sentence for sentence in told) == 2


def test_delays_grow_while_it_keeps_dying_and_start_anew_once_it_settled() -> None:
    """A service with a broken dependency must not eat a core; one that ran for long is wanted back at once."""
    delays = [0.0]
    for _ in range(10):
        delays.append(next_delay_seconds(delays[-1], ran_seconds=0.1))
    assert delays[1:4] == [FIRST_DELAY_SECONDS, 2 * FIRST_DELAY_SECONDS, 4 * FIRST_DELAY_SECONDS]
    assert delays[-1] == LONGEST_DELAY_SECONDS
    assert next_delay_seconds(LONGEST_DELAY_SECONDS, SETTLED_SECONDS) == FIRST_DELAY_SECONDS
