"""Settings from environment variables: one class per service on this common base."""

import os
import sys
from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

CONFIG = SettingsConfigDict(frozen=True, use_attribute_docstrings=True, extra="ignore", env_ignore_empty=True)
"""For every settings class without a base of ours: of several bases, the last one's configuration holds."""

KAFKA_PREFIX = "KAFKA_"
TOPIC_NAME = r"^[a-zA-Z0-9._-]{1,249}$"


class KafkaProperties(PydanticBaseSettingsSource):
    """KAFKA_SECURITY_PROTOCOL=SASL_SSL as the librdkafka property security.protocol, and so with any other."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 (the base's signature)
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        return {"kafka": kafka_properties(os.environ)}


def kafka_properties(environment: Mapping[str, str]) -> dict[str, SecretStr]:
    """The librdkafka properties among the environment's variables. Secret, because a password is one of them."""
    return {
        name.removeprefix(KAFKA_PREFIX).lower().replace("_", "."): SecretStr(value)
        for name, value in environment.items()
        if name.startswith(KAFKA_PREFIX)
    }


class CommonSettings(BaseSettings):
    """What every service needs to know."""

    model_config = CONFIG

    kafka: dict[str, SecretStr] = {}
    """Any librdkafka property, as KAFKA_ and its name: KAFKA_BOOTSTRAP_SERVERS, KAFKA_SASL_PASSWORD …"""
    posts_topic: str = Field("posts", pattern=TOPIC_NAME)
    """Topic of the posts as they came in."""
    entities_topic: str = Field("entities", pattern=TOPIC_NAME)
    """Topic of the entities found in them."""
    posts_dlq_topic: str = Field("posts.dlq", pattern=TOPIC_NAME)
    """Dead letters of the extractor: records of the posts topic that it could not read."""
    entities_dlq_topic: str = Field("entities.dlq", pattern=TOPIC_NAME)
    """Dead letters of the saver."""
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    """DEBUG, INFO, WARNING or ERROR."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the base's signature)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, KafkaProperties(settings_cls), env_settings

    def kafka_config(self, **defaults: Any) -> dict[str, Any]:
        """librdkafka's configuration: `defaults` (with _ for .), overruled by the environment."""
        base: dict[str, Any] = {"bootstrap.servers": "127.0.0.1:9092"}
        ours = {name.replace("_", "."): value for name, value in defaults.items()}
        return base | ours | {name: value.get_secret_value() for name, value in self.kafka.items()}


class WorkerSettings(CommonSettings):
    """What the two consumers have in common."""

    metrics_host: str = "127.0.0.1"
    """Address on which /metrics is served; 0.0.0.0 in a container."""
    metrics_port: int = Field(0, ge=0, le=65535)
    """Port of /metrics; 0 takes a free one and logs it."""


class FirestoreSettings(BaseSettings):
    """Where the counts are; shared by the saver and the gateway's read side."""

    model_config = CONFIG

    google_cloud_project: str | None = None
    """The Google Cloud project. It and the credentials are found as everywhere in Google Cloud when this is not set;
    FIRESTORE_EMULATOR_HOST instead names an emulator."""
    firestore_database: str = "(default)"
    """The Firestore database within the project."""
    firestore_root: str = Field("", pattern=r"^$|^[^/]+/[^/]+(/[^/]+/[^/]+)*$")
    """Document under which everything is kept, such as `replays/2026-11`: an even number of path segments. Empty: the
    database itself."""

    @field_validator("firestore_root", mode="before")
    @classmethod
    def _without_outer_slashes(cls, value: object) -> object:
        return value.strip("/") if isinstance(value, str) else value


SettingsClass = TypeVar("SettingsClass", bound=BaseSettings)


def load(settings_class: type[SettingsClass]) -> SettingsClass:
    """The settings from the environment. A wrong value: a message on stderr that names it, and exit status 2."""
    try:
        return settings_class()
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            _complain(settings_class, problem["loc"], problem["msg"], problem["input"])
        sys.exit(2)


def refuse(message: str) -> NoReturn:
    """Ends the process with exit status 2 and one line on stderr: the operator must change something first."""
    sys.stderr.write(message + "\n")
    sys.exit(2)


def _complain(settings_class: type[BaseSettings], loc: tuple[int | str, ...], message: str, value: object) -> None:
    name = str(loc[0]) if loc else ""
    field = settings_class.model_fields.get(name)
    described = f" {' '.join(field.description.split())}" if field and field.description else ""
    sys.stderr.write(f"{name.upper()}={value!r}: {message}.{described}\n" if name else f"{message}\n")
