"""What the containers and images are, apart from what they do."""

import json
import re

import pytest

from tests.compose.stack import PROJECT_FOLDER, ComposeStack

OURS = ("gateway", "extractor", "saver")
MIB = 1024 * 1024
BASE = "python:3.11-slim-bookworm"
LARGEST_MIB = {"gateway": 150, "extractor": 600, "saver": 150}
"""Beside the base image."""


@pytest.mark.parametrize("service", OURS)
def test_a_service_can_do_no_more_than_it_needs(stack: ComposeStack, service: str) -> None:
    """Not root, no capabilities, a read-only root file system, limits."""
    (container, *_) = stack.containers(service)
    host = container["HostConfig"]
    assert container["Config"]["User"] == "10001:10001"
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert host["Memory"] > 0
    assert host["NanoCpus"] > 0
    assert host["PidsLimit"] > 0
    assert host["RestartPolicy"]["Name"] == "unless-stopped"


def test_only_the_gateway_and_kafkas_external_listener_are_published(stack: ComposeStack) -> None:
    """On this machine only, while the development key is in use."""
    published = [
        (service, binding["HostIp"], int(binding["HostPort"]))
        for service in (*OURS, "kafka", "firestore")
        for container in stack.containers(service)
        for bindings in container["NetworkSettings"]["Ports"].values()
        for binding in bindings or []
    ]
    assert sorted(published) == [
        ("gateway", "127.0.0.1", stack.gateway_port),
        ("kafka", "127.0.0.1", stack.broker_port),
    ]


def test_the_gateway_warns_of_the_development_key(stack: ComposeStack) -> None:
    """When it starts, in its log."""
    events = [json.loads(line) for line in stack.docker("logs", stack.containers("gateway")[0]["Id"]).splitlines()]
    assert "keys.development" in [event["event"] for event in events]


def test_the_topics_are_made_once(stack: ComposeStack) -> None:
    """The console tools in Kafka's own container show them; a second run makes nothing."""
    tool = ("exec", "-T", "kafka", "/opt/kafka/bin/kafka-topics.sh", "--bootstrap-server", "localhost:9092", "--list")
    assert {"posts", "entities", "posts.dlq", "entities.dlq"} <= set(stack.compose(*tool).split())
    again = stack.compose("run", "--rm", "-T", "topics")
    assert json.loads(again.splitlines()[-1])["made"] == []


@pytest.mark.parametrize("service", OURS)
def test_an_image_holds_only_its_service(stack: ComposeStack, service: str) -> None:
    """No compiler, no pip cache, no other service, spaCy in the extractor's alone; and it is not larger than it should
    be."""
    look = """
import importlib.util, json, os, shutil
print(json.dumps({
    "compilers": [name for name in ("cc", "gcc", "g++", "make") if shutil.which(name)],
    "caches": [path for path in ("/root/.cache", "/home/namedrop/.cache") if os.path.exists(path)],
    "services": sorted(name for name in os.listdir("services") if name.isalpha()),
    "libraries": [name for name in ("spacy", "fastapi", "google.cloud.firestore") if found(name)],
}))
"""
    found = """
def found(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
"""
    image = f"namedrop-{service}"
    held = json.loads(stack.docker("run", "--rm", image, "python", "-c", "import importlib.util" + found + look))
    libraries = {"gateway": ["fastapi", "google.cloud.firestore"], "extractor": ["spacy"]}
    assert held == {
        "compilers": [],
        "caches": [],
        "services": [service],
        "libraries": libraries.get(service, ["google.cloud.firestore"]),
    }
    assert beside_the_base(stack, image) <= LARGEST_MIB[service] * MIB


def beside_the_base(stack: ComposeStack, image: str) -> int:
    """Bytes that an image adds to the one it is built from."""
    sizes = [int(stack.docker("image", "inspect", "--format", "{{.Size}}", name)) for name in (image, BASE)]
    return sizes[0] - sizes[1]


@pytest.mark.parametrize("service", OURS)
def test_the_readme_tells_an_images_size(stack: ComposeStack, service: str) -> None:
    """Within a twentieth, in megabytes of a million bytes."""
    (told,) = re.findall(rf"\b{service} (\d+) MB", (PROJECT_FOLDER / "README.md").read_text())
    assert beside_the_base(stack, f"namedrop-{service}") / 1e6 == pytest.approx(int(told), rel=0.05)
