"""Settings from the environment, and what a wrong one says."""

import pytest

from services.extractor.settings import ExtractorSettings
from services.saver.settings import SaverSettings
from shared.settings import load


def test_any_librdkafka_property_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """KAFKA_ and its name; ours are defaults, the environment overrules them."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "broker:9093")
    monkeypatch.setenv("KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("KAFKA_GROUP_PROTOCOL", "classic")
    config = load(SaverSettings).kafka_config(group_protocol="consumer", acks="all")
    assert config["bootstrap.servers"] == "broker:9093"
    assert config["security.protocol"] == "SASL_SSL"
    assert config["group.protocol"] == "classic"
    assert config["acks"] == "all"


def test_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings end up in tracebacks and debuggers."""
    monkeypatch.setenv("KAFKA_SASL_PASSWORD", "hunter2")
    assert "hunter2" not in repr(load(SaverSettings))


def test_a_wrong_value_ends_the_process_and_names_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was set, what is allowed, and what the setting is for; exit status 2."""
    monkeypatch.setenv("BATCH_MAX_DOCUMENTS", "50000")
    with pytest.raises(SystemExit) as ending:
        load(SaverSettings)
    assert ending.value.code == 2
    assert capsys.readouterr().err == (
        "BATCH_MAX_DOCUMENTS='50000': Input should be less than or equal to 10000. "
        "Documents in one Firestore commit, the ledger not counted. Firestore takes 10 MiB: some 20,000. "
        "More than 499 pay only with a long age: a larger commit takes longer, and is repeated as a whole.\n"
    )


@pytest.mark.parametrize(("root", "allowed"), [("", True), ("replays/2026", True), ("/a/b/", True), ("replays", False)])
def test_a_firestore_root_is_a_document(monkeypatch: pytest.MonkeyPatch, root: str, allowed: bool) -> None:
    """Collections alternate with documents, so its path has an even number of segments."""
    monkeypatch.setenv("FIRESTORE_ROOT", root)
    if allowed:
        assert load(SaverSettings).firestore_root == root.strip("/")
    else:
        with pytest.raises(SystemExit):
            load(SaverSettings)


def test_extractors_of_one_host_have_different_names() -> None:
    """Under one name they would fence each other; by default it is the process id."""
    assert load(ExtractorSettings).transactional_id != ExtractorSettings(instance="other").transactional_id
