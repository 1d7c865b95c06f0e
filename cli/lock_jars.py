"""Writes the lock file of jars.py again, after a change of version here: `python -m cli.lock_jars`."""

import hashlib

from jgo.env import EnvironmentBuilder, EnvironmentSpec
from jgo.maven import MavenContext

from cli.jars import LOCK_FILE

KAFKA = "4.2.1"
WANTED = EnvironmentSpec(
    coordinates=[
        f"org.apache.kafka:kafka_2.13:{KAFKA}",
        f"org.apache.kafka:kafka-tools:{KAFKA}",
        "org.slf4j:slf4j-simple:1.7.36",  # the version of Kafka's own slf4j-api
    ],
    # Kafka Connect with its web server: 40 jars for one tool that is not among ours.
    exclusions=["org.apache.kafka:connect-runtime"],
)


def main() -> None:
    """Resolves, fetches and digests. What was resolved is trusted from here on."""
    context = MavenContext()
    named, transitive = context.resolver.resolve(EnvironmentBuilder(context).spec_to_dependencies(WANTED))
    needed = [*named, *(dependency for dependency in transitive if dependency.scope in ("compile", "runtime"))]
    lines = ["# Made by `python -m cli.lock_jars`: Maven coordinates and SHA-256, in class path order."]
    for dependency in needed:
        artifact = dependency.artifact
        digest = hashlib.sha256(artifact.resolve().read_bytes()).hexdigest()
        lines.append(f"{artifact.groupId}:{artifact.artifactId}:{artifact.version} {digest}")
    LOCK_FILE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
