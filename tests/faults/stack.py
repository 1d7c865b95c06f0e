"""The whole pipeline as real processes that may be harmed: what dies is started again by the supervisor."""

import os
import random
import re
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import httpx
import psutil
from confluent_kafka import Consumer, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from prometheus_client.parser import text_string_to_metric_families

from cli.emulator import Emulator, find_emulator_jar
from cli.kafka import Broker, silent
from cli.process import ChildProcess
from cli.service import Gateway, Service, Worker
from cli.state import STACK_ID
from cli.supervisor import Supervisor
from services.extractor.settings import ExtractorSettings
from shared.topics import topic_ids
from tests.faults.load import Load, expected
from tests.faults.proxy import Proxy
from tests.kafka_tools import console_tool
from tests.oracle import Counts
from tests.pipeline import READY_SECONDS, Pipeline
from tests.servers import Servers

Value = TypeVar("Value")
TICK_SECONDS = 0.1
ASK_SECONDS = 10.0
PARTITIONS = {"posts": 48, "entities": 12}
WORKERS_MOST = 16
"""Extractors and savers at most; the entities topic has fewer partitions, so some savers are idle then."""
SETTLE_SECONDS = 180.0
"""From the end of the faults to exact counts: the supervisor's longest delay, then a session time-out, and a load on
the machine that is not ours."""
SESSION_SECONDS = 10.0
"""The group's session time-out in the local stack's broker."""
TRANSACTION_SECONDS = ExtractorSettings.model_fields["transaction_seconds"].default


class FaultPointExtractor(Worker):
    """An extractor that can be told to die around its commit."""

    def command(self) -> list[str]:
        super().command()
        return [sys.executable, "-m", "tests.faults.extractor_with_fault_point"]


class FaultyStack:
    """A broker, an emulator behind `proxy`, two gateways, extractors, savers, and a load. See `start_faulty_stack`.

    The supervisor works while the test waits in `run_for` or `until`. All processes are children of the test's main
    thread, so the kernel ends them with it, whatever happens.
    """

    def __init__(self, folder: Path, broker: Broker, emulator: Emulator, proxy: Proxy, stack_id: str) -> None:
        self.folder = folder
        self.broker = broker
        self.emulator = emulator
        self.proxy = proxy
        self.kills: Counter[str] = Counter()
        """SIGKILLs, by what they hit."""
        self.poison: dict[str, set[tuple[bytes | None, bytes | None]]] = {"posts_dlq": set(), "entities_dlq": set()}
        """Key and value of what must be found in each dead-letter topic."""
        self.counted_from = 0
        """The first of the load's accepted posts that is to be counted; later ones are too."""
        self.topics_made_at = 0
        """How many posts had been accepted when the topics were made: a wiped Firestore forgets those."""
        self.sizes: tuple[int, ...] = (3, 5)
        """How many extractors and savers there may be at most, while they are many."""
        self._stack_id = stack_id
        settings = {
            STACK_ID: stack_id,
            "FIRESTORE_EMULATOR_HOST": proxy.host,
            "FAULT_POINTS": str(folder),
            "IN_FLIGHT_MAX_POSTS": "30",
            "LEDGER_CHECK_SECONDS": "3",
        }
        self.pipeline = Pipeline(Servers(broker.bootstrap_servers, emulator.host), folder, **settings)
        environment = self.pipeline.environment
        # librdkafka's own queue, of the second gateway only, is fuller sooner than the gateway's limit.
        small_queue = environment | {"KAFKA_QUEUE_BUFFERING_MAX_MESSAGES": "20"}
        self.gateways = [
            Gateway(folder / "gateway-1.log", environment, port=0, workers=2),
            Gateway(folder / "gateway-2.log", small_queue, port=0, workers=1),
        ]
        numbers = range(1, WORKERS_MOST + 1)
        for number, gateway in enumerate(self.gateways, 1):
            gateway.name = f"gateway-{number}"
        self.extractors: list[Worker] = [
            FaultPointExtractor("extractor", number, folder / f"extractor-{number}.log", environment)
            for number in numbers
        ]
        self.savers: list[Worker] = [
            Worker("saver", number, folder / f"saver-{number}.log", environment) for number in numbers
        ]
        self.pipeline.services.extend(self.services)
        self.load = Load([gateway.url for gateway in self.gateways], self.pipeline.key)
        # Kept: the futures of a client that is collected are never done.
        self.admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers}, logger=silent)
        self._supervisor = Supervisor([broker, emulator, *self.services], self.tell)
        self.events: list[str] = []
        self.show: Callable[[str], None] = lambda _line: None

    @property
    def services(self) -> list[Service]:
        return [*self.gateways, *self.extractors, *self.savers]

    def workers(self, kind: str) -> list[Worker]:
        """All places for extractors, or for savers."""
        return self.extractors if kind == "extractor" else self.savers

    def running(self, kind: str) -> list[Worker]:
        return [worker for worker in self.workers(kind) if worker.running]

    # Time passes

    def run_for(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._supervisor.tick()
            time.sleep(min(TICK_SECONDS, left))

    def until(self, look: Callable[[], Value], within_seconds: float = SETTLE_SECONDS) -> Value:
        """The first truthy value of `look`. Raises AssertionError with the last one when there is none in time."""
        deadline = time.monotonic() + within_seconds
        while not (value := look()):
            assert time.monotonic() < deadline, f"still {value!r} after {within_seconds:g} s"
            self.run_for(TICK_SECONDS)
        return value

    def seconds_until(self, look: Callable[[], object]) -> float:
        started = time.monotonic()
        self.until(look)
        return time.monotonic() - started

    def until_ready(self, *processes: ChildProcess) -> None:
        """They are up, whatever became of them in the meantime."""
        self.until(lambda: all(process.running and process.is_ready() for process in processes))

    def tell(self, event: str) -> None:
        line = f"{time.strftime('%H:%M:%S')} {event}"
        self.events.append(line)
        self.show(line)

    # Harm

    def kill(self, *processes: ChildProcess) -> None:
        """SIGKILL from outside, all at once: the supervisor finds them dead."""
        for process in processes:
            if process.pid is not None:
                os.kill(process.pid, signal.SIGKILL)
                self.kills[process.name] += 1

    def kill_gateway_worker(self, random_: random.Random) -> str:
        """One of uvicorn's two workers of the first gateway, or the whole second gateway."""
        first, second = self.gateways
        workers = uvicorn_workers(first)
        if workers and random_.random() < 0.7:
            victim = random_.choice(workers)
            with suppress(psutil.NoSuchProcess):
                victim.kill()
            self.kills["gateway worker"] += 1
            return "a gateway worker"
        self.kill(second)
        return "gateway 2"

    @contextmanager
    def frozen(self, *processes: ChildProcess) -> Iterator[None]:
        """SIGSTOP, and at the end SIGCONT."""
        pids = [process.pid for process in processes if process.pid is not None]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def scale(self, kind: str, count: int) -> None:
        """So many of the kind run from now on; returns when those that are too many have ended."""
        for worker in self.workers(kind)[:count]:
            worker.start()
        surplus = [worker for worker in self.workers(kind)[count:] if worker.running or worker.wanted]
        for worker in surplus:
            worker.terminate()
        self.until(lambda: not any(worker.running for worker in surplus))

    # What Kafka knows

    def asked(self, ask: Callable[[], Value]) -> Value:
        """Its answer; asked again while Kafka is away, or too busy to answer."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            try:
                return ask()
            except (KafkaException, TimeoutError):
                if time.monotonic() > deadline:
                    raise
                self.run_for(TICK_SECONDS)

    def group_is_empty(self, kind: str) -> bool:
        """Whether the console tools may reset its offsets."""
        group = self.pipeline.groups[kind]

        def members() -> int:
            # A new client each time: one that was asked while the broker died may never answer this again.
            admin = AdminClient({"bootstrap.servers": self.broker.bootstrap_servers}, logger=silent)
            return len(admin.describe_consumer_groups([group])[group].result(ASK_SECONDS).members)

        return self.asked(members) == 0

    def rewind(self, kind: str, *how: str) -> None:
        """`kafka-consumer-groups --reset-offsets`; the group must be empty."""
        topic = self.pipeline.topics["posts" if kind == "extractor" else "entities"]
        tool = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
        arguments = ("--group", self.pipeline.groups[kind], "--topic", topic, "--reset-offsets", *how, "--execute")
        try:
            console_tool(tool, self.broker.bootstrap_servers, *arguments)
        except subprocess.CalledProcessError as error:
            raise AssertionError(f"kafka-consumer-groups {arguments}: {error.stdout}{error.stderr}") from error

    def has_logs(self, topic: str) -> bool:
        """Whether the broker has a log of it that is not put away for deletion."""
        return any(re.fullmatch(rf"{re.escape(topic)}-\d+", log.name) for log in self.broker.folder.glob("data/*"))

    def committed(self, kind: str) -> dict[int, int]:
        """The group's committed offset by partition, where there is one."""
        topic = "posts" if kind == "extractor" else "entities"
        places = [TopicPartition(self.pipeline.topics[topic], number) for number in range(PARTITIONS[topic])]
        config = {"bootstrap.servers": self.broker.bootstrap_servers, "group.id": self.pipeline.groups[kind]}
        consumer = Consumer(config, logger=silent)
        try:
            found = self.asked(lambda: consumer.committed(places, timeout=ASK_SECONDS))
        finally:
            consumer.close()
        return {place.partition: place.offset for place in found if place.offset >= 0}

    def partitions_of(self, worker: Worker) -> set[int]:
        """Those that the worker has read from, as its metrics show."""
        text = httpx.get(f"{worker.url}/metrics", timeout=ASK_SECONDS, trust_env=False).text
        return {
            int(sample.labels["partition"])
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == f"namedrop_{worker.kind}_lag_records"
        }

    def ends(self, topic: str, isolation: IsolationLevel) -> dict[int, int]:
        """Where each partition ends, for readers of that isolation level."""
        partitions = {
            TopicPartition(self.pipeline.topics[topic], number): OffsetSpec.latest()
            for number in range(PARTITIONS[topic])
        }

        def answers() -> dict[int, int]:
            topic_ids(self.admin, [self.pipeline.topics[topic]])  # or a broker that was restarted fences us for minutes
            found = self.admin.list_offsets(partitions, isolation_level=isolation, request_timeout=ASK_SECONDS)
            return {place.partition: answer.result(ASK_SECONDS).offset for place, answer in found.items()}

        return self.asked(answers)

    # The promise

    def drain(self) -> None:
        """No new posts, and a 201 for each that was begun."""
        self.load.stop()
        self.until(lambda: self.load.done, SETTLE_SECONDS)

    def expected(self) -> Counts:
        return expected(self.load.accepted[self.counted_from :])

    def counts_become_exact(self) -> float:
        """Every 201 is counted once. Returns the seconds that took. Raises AssertionError with the difference."""
        started = time.monotonic()
        wanted = self.expected()
        assert wanted, "no post got a 201"
        while (counted := self.pipeline.counts()) != wanted and time.monotonic() - started < SETTLE_SECONDS:
            self.run_for(1.0)
        missing, surplus = wanted - counted, counted - wanted
        difference = f"missing: {dict(missing)}, surplus: {dict(surplus)}"
        assert (missing, surplus) == (Counter(), Counter()), "\n".join([difference, *self.events])
        return time.monotonic() - started

    def dead_letters_are_complete(self) -> None:
        """All that was poison, byte for byte, and nothing else. At least once: see docs/guarantees.md."""
        for topic, poison in self.poison.items():

            def dead(topic: str = topic) -> set[tuple[bytes | None, bytes | None]]:
                return {(record.key(), record.value()) for record in self.pipeline.records(topic)}

            self.until(lambda dead=dead, poison=poison: dead() >= poison)  # type: ignore[misc] # as above
            assert dead() == poison

    # The end

    def stop(self) -> None:
        self.load.join()
        self.pipeline.stop()

    def left_behind(self) -> list[psutil.Process]:
        """Whatever carries this stack's mark and still runs."""
        return marked(self._stack_id)


def uvicorn_workers(gateway: Gateway) -> list[psutil.Process]:
    """The processes that serve, without Python's resource tracker beside them."""
    try:
        children = psutil.Process(gateway.pid).children()
        return [child for child in children if any("spawn_main" in part for part in child.cmdline())]
    except psutil.NoSuchProcess:
        return []


def marked(stack_id: str) -> list[psutil.Process]:
    """The processes that have this id in their environment."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(STACK_ID) == stack_id:
                found.append(process)
    return found


@contextmanager
def start_faulty_stack(folder: Path, extractors: int = 2, savers: int = 2) -> Iterator[FaultyStack]:
    """A stack that is ready. At the end everything is stopped, and it is checked that nothing was left behind."""
    stack_id = secrets.token_hex(16)
    environment = os.environ | {STACK_ID: stack_id}
    broker = Broker(folder / "kafka", environment=environment)
    emulator = Emulator(find_emulator_jar(environment), folder / "firestore.log", environment)
    with ExitStack() as scope:
        for process in (broker, emulator):
            scope.callback(process.stop)
            process.start()
        for process in (broker, emulator):
            process.wait_ready(READY_SECONDS)
        proxy = scope.enter_context(Proxy(emulator.port))
        stack = FaultyStack(folder, broker, emulator, proxy, stack_id)
        scope.callback(stack.stop)
        stack.scale("extractor", extractors)
        stack.scale("saver", savers)
        for gateway in stack.gateways:
            gateway.start()
        stack.until_ready(*stack.gateways, *stack.running("extractor"), *stack.running("saver"))
        yield stack
    assert not stack.left_behind()
