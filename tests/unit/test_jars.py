"""Kafka's jars: what the lock file names, and whether what is here is that."""

import shutil
from pathlib import Path

from jgo.maven import MavenContext

from cli.jars import locked_jars
from cli.lock_jars import KAFKA


def test_the_lock_file_is_of_the_version_that_is_wanted() -> None:
    """Whoever changes the version must run `python -m cli.lock_jars`."""
    ours = {jar.path.name for jar in locked_jars(MavenContext())}
    assert {f"kafka_2.13-{KAFKA}.jar", f"kafka-tools-{KAFKA}.jar", f"kafka-clients-{KAFKA}.jar"} <= ours


def test_a_jar_that_was_cut_short_is_not_taken_for_one(tmp_path: Path) -> None:
    """A first start that was interrupted must not spoil all later ones."""
    (jar,) = [jar for jar in locked_jars(MavenContext(repo_cache=tmp_path)) if "slf4j-simple" in jar.path.name]
    assert not jar.is_here
    jar.path.parent.mkdir(parents=True)
    jar.path.write_bytes(b"PK\x03\x04 and no more")
    assert not jar.is_here
    shutil.rmtree(tmp_path)
