"""deploy/kubernetes: every overlay renders, and the API would take what comes out."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from cloudcoil.models.keda.v1alpha1 import ScaledObject, TriggerAuthentication

from services.gateway.settings import GatewaySettings
from shared.settings import CommonSettings
from shared.topics import wanted

KUBERNETES = Path(__file__).parents[2] / "deploy" / "kubernetes"
OVERLAYS = sorted(path.name for path in (KUBERNETES / "overlays").iterdir())
VERSIONS = ["1.30", "1.37"]
KEDA = {"ScaledObject": ScaledObject, "TriggerAuthentication": TriggerAuthentication}
NO_SCHEMA = {"KafkaTopic"}
"""Strimzi's, which no library carries."""

Manifest = dict[str, Any]


def render(overlay: str) -> list[Manifest]:
    command = ["kubectl", "kustomize", str(KUBERNETES / "overlays" / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


@pytest.fixture(params=OVERLAYS)
def manifests(request: pytest.FixtureRequest) -> list[Manifest]:
    """Of each overlay in turn."""
    return render(request.param)


def named(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    return {each["metadata"]["name"]: each for each in manifests if each["kind"] == kind}


def pods(manifests: list[Manifest]) -> dict[str, Manifest]:
    """The pod templates, by workload."""
    kinds = ("Deployment", "StatefulSet", "Job")
    return {name: each["spec"]["template"] for kind in kinds for name, each in named(manifests, kind).items()}


@pytest.mark.parametrize("version", VERSIONS)
def test_manifests_follow_the_api_schemas(manifests: list[Manifest], version: str) -> None:
    """Strictly: a field that the API does not know is an error."""
    for manifest in manifests:
        if manifest["kind"] not in KEDA.keys() | NO_SCHEMA:
            kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("overlay", ["gke", "strimzi"])
def test_keda_reads_its_resources_as_they_are_written(overlay: str) -> None:
    """By models of its API: a field that it does not know would be gone."""
    found = [manifest for manifest in render(overlay) if manifest["kind"] in KEDA]
    assert {manifest["kind"] for manifest in found} == KEDA.keys()
    for manifest in found:
        read = KEDA[manifest["kind"]].model_validate(manifest)
        assert read.model_dump(mode="json", by_alias=True, exclude_unset=True) == manifest


def test_everything_is_in_the_namespace(manifests: list[Manifest]) -> None:
    """Nothing lands in whatever namespace kubectl stands in."""
    assert {each["metadata"].get("namespace") for each in manifests if each["kind"] != "Namespace"} == {"namedrop"}


def test_references_lead_somewhere(manifests: list[Manifest]) -> None:
    """ConfigMaps by their hashed names; Secrets are in the overlay, or optional, or named at its head."""
    config_maps, secrets = named(manifests, "ConfigMap"), named(manifests, "Secret")
    accounts = named(manifests, "ServiceAccount").keys() | {None}
    for template in pods(manifests).values():
        assert template["spec"].get("serviceAccountName") in accounts
        for container in template["spec"]["containers"]:
            for source in container.get("envFrom", []):
                if "configMapRef" in source:
                    assert source["configMapRef"]["name"] in config_maps
        for volume in template["spec"].get("volumes", []):
            if "secret" in volume:
                assert volume["secret"]["secretName"] in secrets.keys() | {"namedrop-api-keys"}


def test_pods_can_do_no_more_than_they_need(manifests: list[Manifest]) -> None:
    """What the namespace's "restricted" asks for; ours with a read-only root file system as well."""
    for name, template in pods(manifests).items():
        spec = template["spec"]
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        for container in spec["containers"]:
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]["memory"]
            assert security.get("readOnlyRootFilesystem") or name in {"kafka", "firestore"}


def test_no_service_turns_into_a_setting(manifests: list[Manifest]) -> None:
    """A Service called kafka would put KAFKA_PORT=tcp://… into every pod, and librdkafka knows no such port."""
    for name, template in pods(manifests).items():
        assert template["spec"].get("enableServiceLinks") is False or name == "firestore"


def test_services_have_probes_and_budgets(manifests: list[Manifest]) -> None:
    """Each selects the pods that it is about."""
    templates = pods(manifests)
    for name in ("gateway", "extractor", "saver"):
        (container,) = templates[name]["spec"]["containers"]
        assert {"startupProbe", "livenessProbe", "readinessProbe"} <= container.keys()
        budget = named(manifests, "PodDisruptionBudget")[name]["spec"]["selector"]["matchLabels"]
        assert budget.items() <= templates[name]["metadata"]["labels"].items()


def test_a_gateway_serves_on_until_nobody_sends_it_posts(manifests: list[Manifest]) -> None:
    """It waits before it is told to stop, and the grace period holds both that and its shut-down."""
    spec = pods(manifests)["gateway"]["spec"]
    (_, seconds) = spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    shutdown = GatewaySettings.model_fields["shutdown_seconds"].get_default()
    assert 0 < int(seconds) + shutdown < spec["terminationGracePeriodSeconds"]


@pytest.mark.parametrize("overlay", ["gke", "strimzi"])
def test_keda_scales_extractors_up_to_the_partitions(overlay: str) -> None:
    """On the lag of their group at the brokers that they themselves use, from 1."""
    manifests = render(overlay)
    (settings,) = (each for name, each in named(manifests, "ConfigMap").items() if "settings" in name)
    spec = named(manifests, "ScaledObject")["extractor"]["spec"]
    trigger = spec["triggers"][0]["metadata"]
    (posts, *_) = wanted(CommonSettings())
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (1, posts.partitions)
    assert trigger["bootstrapServers"] == settings["data"]["KAFKA_BOOTSTRAP_SERVERS"]
    assert (trigger["consumerGroup"], trigger["topic"]) == ("extractor", posts.name)
    assert "replicas" not in named(manifests, "Deployment")["extractor"]["spec"]


def test_strimzi_makes_the_same_topics() -> None:
    """As `namedrop topics`, with copies; and no Job makes them as well."""
    manifests = render("strimzi")
    assert not named(manifests, "Job")
    made = {each["spec"]["topicName"]: each["spec"] for each in named(manifests, "KafkaTopic").values()}
    for topic in wanted(CommonSettings()):
        config = made[topic.name]["config"]
        assert made[topic.name]["partitions"] == topic.partitions
        assert {name: str(config[name]) for name in topic.config} == topic.config
    assert len(made) == 4


def test_only_gke_speaks_of_workload_identity() -> None:
    """On the account of those who reach Firestore, and of nobody else."""
    accounts = named(render("gke"), "ServiceAccount")
    annotated = [name for name, each in accounts.items() if "iam.gke.io/gcp-service-account" in json.dumps(each)]
    assert annotated == ["namedrop-firestore"]


def test_no_secret_is_in_the_files() -> None:
    """But for the digest of the development key, which everybody knows."""
    text = "".join(path.read_text() for path in KUBERNETES.rglob("*.yaml"))
    assert len(set(re.findall(r"[0-9a-f]{64}", text))) == 1
