"""The local stack: a Kafka broker, the Firestore emulator, and the three services as processes beside them."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from threading import Event

import psutil
from confluent_kafka.admin import AdminClient

from cli import emulator, kafka
from cli.errors import CommandError
from cli.home import Home
from cli.keys import entry, new_key
from cli.ports import is_free
from cli.process import NEVER, ChildProcess
from cli.service import Gateway, Service, Worker
from cli.state import STACK_ID, RunningProcess, StackState, read_state
from cli.supervisor import Supervisor
from services.extractor.settings import ExtractorSettings
from services.gateway.keys import parse_keys
from services.saver.settings import SaverSettings
from shared.settings import load
from shared.topics import ensure_topics, wanted

PROJECT = "namedrop-local"
SERVICES_READY_SECONDS = 120.0
TICK_SECONDS = 0.2
KEY_NAME = "local"
TOPICS = ("posts", "entities", "posts_dlq", "entities_dlq")
FOREIGN_KAFKA = ("KAFKA_SECURITY_", "KAFKA_SASL_", "KAFKA_SSL_")
"""Of somebody's production cluster; our broker speaks plain text."""


@dataclass(frozen=True)
class Size:
    """How many of each. port: the gateway's, 0 for a free one."""

    extractors: int = 2
    savers: int = 1
    workers: int = 1
    port: int = 8000


class Stack:
    """Its processes and their stack.json. The folder must be claimed while it lives: see start_stack and `namedrop up`.

    tell: gets a few words about each step.
    """

    def __init__(self, home: Home, size: Size, tell: Callable[[str], None] = lambda _: None) -> None:
        if size.port and not is_free(size.port):
            raise CommandError(
                f"Port {size.port} can't be had: somebody listens on it, or it needs more rights. "
                "Choose another for the gateway with --port, or --port 0 for a free one."
            )
        self.home = home
        self.id = secrets.token_hex(16)
        self.api_key = new_key()
        self._size = size
        self._tell = tell
        self._ready = False
        # Read here for their names; and a wrong variable is told now, not by a service that does not start.
        self._extractor_settings, self._saver_settings = load(ExtractorSettings), load(SaverSettings)
        parse_keys(os.environ.get("API_KEYS", ""), "API_KEYS")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN_KAFKA)}
        self._environment = inherited | {STACK_ID: self.id}
        self.kafka = kafka.Broker(home.kafka, home.logs / "kafka.log", self._environment)
        self.emulator: emulator.Emulator | None = None
        """None when FIRESTORE_EMULATOR_HOST names one that is running: that one is used, and left alone."""
        if not self._environment.get("FIRESTORE_EMULATOR_HOST"):
            jar = emulator.find_emulator_jar(self._environment)
            self.emulator = emulator.Emulator(jar, home.logs / "firestore.log", self._environment)
        self.services: list[Service] = []
        """The gateway, the extractors, the savers: empty before start()."""

    @property
    def firestore_emulator_host(self) -> str:
        return self.emulator.host if self.emulator else self._environment["FIRESTORE_EMULATOR_HOST"]

    @property
    def gateway(self) -> Gateway:
        return next(service for service in self.services if isinstance(service, Gateway))

    def service(self, name: str) -> Service:
        """By its name: gateway, extractor-1, extractor-2 …, saver-1 …"""
        return next(service for service in self.services if service.name == name)

    @property
    def processes(self) -> list[ChildProcess]:
        """In the order in which they are stopped: each before what it talks to."""
        servers = [self.emulator, self.kafka] if self.emulator else [self.kafka]
        return [*self.services, *servers]

    def start(self, interrupted: Event = NEVER) -> None:
        """Returns when every process has said that it is ready. On any exception call stop()."""
        self.home.stop_kinds(set())
        self.write_state()  # first of all: whatever starts from here on can be found by the stack's id
        self._tell("Starting Kafka and the Firestore emulator" if self.emulator else "Starting Kafka")
        if self.emulator:
            self.emulator.start()
        self.kafka.start()
        self.kafka.wait_ready(kafka.READY_SECONDS, interrupted)
        if self.emulator:
            self.emulator.wait_ready(emulator.READY_SECONDS, interrupted)
        self._tell("Making the topics")
        admin = AdminClient({"bootstrap.servers": self.kafka.bootstrap_servers}, logger=kafka.silent)
        ensure_topics(admin, wanted(self._saver_settings))
        self._tell("Starting the services")
        self.services = self._make_services()
        for service in self.services:
            service.start()
        self.write_state()
        for service in self.services:
            self._tell(f"Waiting for {service.name}")
            service.wait_ready(SERVICES_READY_SECONDS, interrupted)
        self._ready = True
        self.write_state()

    def supervise(self, stop: Event, tell: Callable[[str], None]) -> None:
        """Keeps the processes alive until `stop` is set; `tell` gets a sentence about each that died."""
        supervisor = Supervisor(self.processes, tell)
        while not stop.wait(TICK_SECONDS):
            obeyed = self._obey()
            if supervisor.tick() or obeyed:
                self.write_state()

    def _obey(self) -> bool:
        """Does what `namedrop stop` and `namedrop start` ask for; True when that was something."""
        stopped = self.home.stopped_kinds()
        down = [service for service in self.services if service.wanted and service.kind in stopped]
        up = [service for service in self.services if not service.wanted and service.kind not in stopped]
        for service in down:
            service.terminate()
        for service in down:
            service.stop()
        for service in up:
            service.start()
        return bool(down or up)

    def stop(self) -> None:
        """In order, each kind at once; whatever is then left of it is killed. Data and logs stay."""
        self._ready = False
        for kind in ("gateway", "extractor", "saver"):
            tier = [service for service in self.services if service.kind == kind]
            for service in tier:
                self._tell(f"Stopping {service.name}")
                service.terminate()
            for service in tier:
                service.stop()
        self._tell("Stopping Kafka")
        if self.emulator:
            self.emulator.stop()
        self.kafka.stop()
        end_what_is_left(self.home)

    def write_state(self) -> None:
        """Writes stack.json as things are now."""
        self.state().write(self.home.state)

    def state(self) -> StackState:
        return StackState(
            id=self.id,
            ready=self._ready,
            supervisor=os.getpid(),
            bootstrap_servers=self.kafka.bootstrap_servers,
            firestore_emulator_host=self.firestore_emulator_host,
            project=PROJECT,
            gateway_url=self.gateway.url if self.services else "",
            api_key=self.api_key,
            topics={topic: getattr(self._saver_settings, f"{topic}_topic") for topic in TOPICS},
            groups={
                "extractor": self._extractor_settings.extractor_group,
                "saver": self._saver_settings.saver_group,
            },
            processes={
                process.name: RunningProcess(
                    pid=process.pid,
                    metrics_url=f"{process.url}/metrics" if isinstance(process, Service) else None,
                )
                for process in self.processes
            },
        )

    def _make_services(self) -> list[Service]:
        ours = {
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka.bootstrap_servers,
            "FIRESTORE_EMULATOR_HOST": self.firestore_emulator_host,
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "API_KEYS": f"{self._environment.get('API_KEYS', '')}\n{entry(KEY_NAME, self.api_key)}",
        }
        environment = self._environment | ours
        kinds = [("extractor", self._size.extractors), ("saver", self._size.savers)]
        return [
            Gateway(self.home.logs / "gateway.log", environment, self._size.port, self._size.workers),
            *(
                Worker(kind, number, self.home.logs / f"{kind}-{number}.log", environment)
                for kind, count in kinds
                for number in range(1, count + 1)
            ),
        ]


@contextmanager
def start_stack(home: Home, size: Size) -> Iterator[Stack]:
    """A stack that is ready; stopped at the end. Nothing is restarted unless somebody calls `supervise`."""
    home.make()
    with home.claim(), ExitStack() as cleaning:
        end_what_is_left(home)
        stack = Stack(home, size)
        cleaning.callback(stack.stop)
        stack.start()
        yield stack


def end_what_is_left(home: Home) -> None:
    """Kills what an earlier stack in this folder left behind when its supervisor was killed, and forgets that stack."""
    if state := read_state(home):
        left = state.left_behind()
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=5)
    home.state.unlink(missing_ok=True)
