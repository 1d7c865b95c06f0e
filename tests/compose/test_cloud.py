"""docker-compose.cloud.yml: on a Kafka that wants SASL over TLS, with nothing of the local stack beside it."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)

from cli.kafka import silent
from cli.keys import entry, new_key
from tests.compose.stack import PROJECT_FOLDER, READY_SECONDS, ComposeStack
from tests.eventually import eventually
from tests.kafka_tools import answers
from tests.pipeline import articles

FILES = ("docker-compose.yml", "docker-compose.cloud.yml", "managed.yml")
EXTRACTORS = 2
PASSWORD = "of-every-user-here"
CERTIFICATE = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=broker"]
WRITE, READ, DESCRIBE, CREATE = AclOperation.WRITE, AclOperation.READ, AclOperation.DESCRIBE, AclOperation.CREATE
TOPIC, GROUP, TRANSACTIONS = ResourceType.TOPIC, ResourceType.GROUP, ResourceType.TRANSACTIONAL_ID
RIGHTS = {
    "topics": [(CREATE, TOPIC, name) for name in ("posts", "entities", "posts.dlq", "entities.dlq")],
    "gateway": [
        (WRITE, TOPIC, "posts"),
        (DESCRIBE, TOPIC, "entities"),
        (DESCRIBE, GROUP, "extractor"),
        (DESCRIBE, GROUP, "saver"),
    ],
    "extractor": [
        (READ, TOPIC, "posts"),
        (READ, GROUP, "extractor"),
        (WRITE, TOPIC, "entities"),
        (WRITE, TOPIC, "posts.dlq"),
        (WRITE, TRANSACTIONS, "extractor-"),
    ],
    "saver": [(READ, TOPIC, "entities"), (READ, GROUP, "saver"), (WRITE, TOPIC, "entities.dlq")],
}
"""As docs/operations.md lists them, and no more."""


class CloudStack(ComposeStack):
    """In a folder of its own, as a checkout would be: with an .env made from the example, and secrets."""

    broker = "broker"

    def __init__(self, folder: Path) -> None:
        self.key = new_key()
        self.keys_file = folder / "secrets/gateway/api-keys"
        for name in FILES:
            shutil.copy(
                PROJECT_FOLDER / "tests/compose" / name if name == "managed.yml" else PROJECT_FOLDER / name, folder
            )
        for name in ("secrets/kafka", "secrets/google", "secrets/gateway", "broker"):
            (folder / name).mkdir(parents=True)
        self.keys_file.write_text(entry("tests", self.key) + "\n")
        self._make_certificate(folder)
        example = (PROJECT_FOLDER / ".env.example").read_text()
        (folder / ".env").write_text(filled_in(example, self._settings()))
        super().__init__(folder, FILES, folder / ".env", self.key)

    def _settings(self) -> dict[str, str]:
        return {
            "API_KEYS": "",
            "API_KEYS_FILE": "/secrets/gateway/api-keys",
            "GOOGLE_CLOUD_PROJECT": "namedrop-tests",
            "KAFKA_BOOTSTRAP_SERVERS": "broker:9093",
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "KAFKA_SASL_PASSWORD": PASSWORD,
            "KAFKA_SSL_CA_LOCATION": "/secrets/kafka/ca.pem",
        }

    def _make_certificate(self, folder: Path) -> None:
        """Self-signed, so it is its own authority."""
        ca, key, broker = folder / "secrets/kafka/ca.pem", folder / "key.pem", folder / "broker/broker.pem"
        made = ["-addext", "subjectAltName=DNS:broker", "-keyout", str(key), "-out", str(ca)]
        subprocess.run([*CERTIFICATE, *made], check=True, capture_output=True)
        broker.write_text(key.read_text() + ca.read_text())

    def start_servers(self) -> None:
        """Kafka and the emulator, which a cloud has before anything of ours runs; with users and their rights."""
        self.compose("up", "--detach", "broker", "emulator")
        address = f"127.0.0.1:{self.broker_port}"
        eventually(lambda: answers(address), READY_SECONDS)
        self.admin = AdminClient({"bootstrap.servers": address}, logger=silent)
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        users: list[UserScramCredentialAlteration] = [
            UserScramCredentialUpsertion(user, info, PASSWORD.encode()) for user in RIGHTS
        ]
        for done in self.admin.alter_user_scram_credentials(users).values():
            done.result()
        for user, rights in RIGHTS.items():
            for right in rights:
                self.allow(user, *right)

    def allow(self, user: str, *right: Any) -> None:
        for done in self.admin.create_acls([AclBinding(*binding(user, *right))]).values():
            done.result()

    def forbid(self, user: str, *right: Any) -> None:
        for done in self.admin.delete_acls([AclBindingFilter(*binding(user, *right))]).values():
            assert done.result()


def binding(user: str, operation: AclOperation, resource: ResourceType, name: str) -> tuple[Any, ...]:
    """What AclBinding and AclBindingFilter are made of."""
    pattern = ResourcePatternType.PREFIXED if resource is TRANSACTIONS else ResourcePatternType.LITERAL
    return resource, name, pattern, f"User:{user}", "*", operation, AclPermissionType.ALLOW


def filled_in(example: str, settings: Mapping[str, str]) -> str:
    """The example with these lines taken out of their comments and given values. Each of them must be there."""
    for name, value in settings.items():
        example, count = re.subn(rf"^# {name}=.*$", f"{name}={value}", example, flags=re.MULTILINE)
        assert count, f"{name} is not in .env.example"
    return example


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudStack]:
    """Up, with its images built from the project's folder; torn down at the end."""
    if os.environ.get("COMPOSE"):
        pytest.skip("docker-compose.cloud.yml needs Compose 2.24.4")
    ComposeStack().compose("build", "gateway", "extractor", "saver")
    cloud = CloudStack(tmp_path_factory.mktemp("cloud"))
    try:
        cloud.start_servers()
        cloud.up(extractors=EXTRACTORS)
        yield cloud
    finally:
        cloud.down()


def test_posts_are_counted_exactly_over_sasl_and_tls(cloud: CloudStack) -> None:
    """Each service as a user of its own, with the rights that docs/operations.md lists; the rest of Kafka is shut."""
    cloud.post(articles(40))
    cloud.everything_is_counted_once()


def test_nothing_of_the_local_stack_runs(cloud: CloudStack) -> None:
    """No broker, no emulator of ours; the gateway's port is open to others, and it knows no development key."""
    assert set(cloud.compose("ps", "--services").split()) <= {"broker", "emulator", "gateway", "extractor", "saver"}
    (gateway,) = cloud.containers("gateway")
    (binding, *_) = gateway["NetworkSettings"]["Ports"]["8000/tcp"]
    assert binding["HostIp"] == "0.0.0.0"
    events = [json.loads(line)["event"] for line in cloud.docker("logs", gateway["Id"]).splitlines()]
    assert "keys.development" not in events


def test_rights_that_come_back_need_no_restart(cloud: CloudStack) -> None:
    """A gateway that starts without its right to write says so and refuses posts; when it has it, it takes them."""
    right = (WRITE, TOPIC, "posts")

    def gateway() -> dict[str, Any]:
        return cloud.containers("gateway")[0]

    cloud.forbid("gateway", *right)
    cloud.compose("restart", "gateway")
    with cloud.load():
        eventually(lambda: "producer.broken" in cloud.docker("logs", gateway()["Id"]), READY_SECONDS)
        cloud.allow("gateway", *right)
    cloud.everything_is_counted_once()
    assert gateway()["RestartCount"] == 0


def test_a_key_is_replaced_without_a_restart(cloud: CloudStack) -> None:
    """As docs/operations.md says: both are taken for a while, then the old one is refused."""
    post, new = articles(1)[0], new_key()

    def status(key: str) -> int:
        answer = cloud.client.post("/post/enqueue", json=post, headers={"X-API-Key": key}, timeout=30)
        cloud.posted += [post] * (answer.status_code == 201)
        return answer.status_code

    both = cloud.keys_file.read_text() + entry("tests", new) + "\n"
    cloud.keys_file.write_text(both)
    eventually(lambda: status(new) == 201)
    assert status(cloud.key) == 201
    cloud.keys_file.write_text(entry("tests", new) + "\n")
    eventually(lambda: status(cloud.key) == 401)
    cloud.everything_is_counted_once()
