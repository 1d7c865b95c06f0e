"""Which gateway and Kafka a command means: what it is told, else what the environment says, else the local stack."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from pydantic import SecretStr

from cli.errors import CommandError
from cli.home import Home, home_of
from cli.state import StackState, running_state
from services.extractor.settings import ExtractorSettings
from services.saver.settings import SaverSettings
from shared.kafka import librdkafka_log, open_admin
from shared.settings import CommonSettings, load

KAFKA_SECONDS = 5.0
SERVERS = "bootstrap.servers"


class PipelineSettings(CommonSettings):
    """The names of topics and groups, with the same variables and defaults as in the services."""

    extractor_group: str = ExtractorSettings.model_fields["extractor_group"].default
    saver_group: str = SaverSettings.model_fields["saver_group"].default

    @property
    def bootstrap_servers(self) -> str:
        return str(self.kafka_config()[SERVERS])


def running_stack() -> StackState | None:
    """The local stack of this folder, or of NAMEDROP_HOME, if it is up."""
    return running_state(home_of(os.environ))


def nothing_runs(home: Home) -> str:
    """For errors: where a stack was looked for, and what to do."""
    if home.holder():
        return f"The stack in {home.path} is still starting: wait for it"
    return (
        f"No stack is running in {home.path}: start one with `namedrop up`, or name the .namedrop folder of another "
        "with NAMEDROP_HOME"
    )


def gateway_address(url: str | None, key: str | None) -> tuple[str, str | None]:
    """URL and API key. The stack's key goes to the stack's gateway only."""
    stack = running_stack()
    if stack is not None and url in (None, stack.gateway_url):
        return stack.gateway_url, key or stack.api_key
    if url is None:
        raise CommandError(f"{nothing_runs(home_of(os.environ))}, or a gateway with --url")
    return url, key


def pipeline_settings(bootstrap_server: str | None = None) -> PipelineSettings:
    """bootstrap_server overrules all; the stack is meant when neither that nor the environment names a Kafka."""
    settings = load(PipelineSettings)
    if bootstrap_server:
        return settings.model_copy(update={"kafka": settings.kafka | {SERVERS: SecretStr(bootstrap_server)}})
    stack = running_stack()
    return settings if stack is None or SERVERS in settings.kafka else stack_settings(stack)


def stack_settings(stack: StackState) -> PipelineSettings:
    """Of a local stack. Its Kafka is plain: what the environment says about another one's security is left out."""
    names = {f"{kind}_topic": name for kind, name in stack.topics.items()}
    names |= {f"{kind}_group": name for kind, name in stack.groups.items()}
    kafka = {SERVERS: SecretStr(stack.bootstrap_servers)}
    return load(PipelineSettings).model_copy(update={**names, "kafka": kafka})


@contextmanager
def open_kafka(settings: PipelineSettings) -> Iterator[AdminClient]:
    """A client that Kafka has answered. Raises CommandError when it does not within a few seconds."""
    # What went wrong is told by whoever gives up; librdkafka's tries in between are no news.
    librdkafka_log.addHandler(logging.NullHandler())
    librdkafka_log.propagate = False
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with open_admin(settings) as admin:
        try:
            admin.list_topics(timeout=KAFKA_SECONDS)
        except KafkaException as error:
            raise CommandError(
                f"No Kafka answers at {settings.bootstrap_servers} ({error.args[0].str()}): start a local stack with "
                "`namedrop up`, or name another one with KAFKA_BOOTSTRAP_SERVERS"
            ) from error
        yield admin
