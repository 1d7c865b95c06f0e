"""Which processes do the work: a pipeline's services, the broker and the emulator."""

from collections.abc import Mapping, Sequence

import psutil

from tests.pipeline import Pipeline

SERVERS = {"kafka": "kafka.Kafka", "firestore_emulator": "CloudFirestore"}
"""By what stands in their command lines."""

Groups = Mapping[str, Sequence[psutil.Process]]
"""Processes by a name for them all."""


def one_of_each(pipeline: Pipeline) -> Groups:
    """The services of a pipeline that runs one of each kind, and the servers."""
    return {service.kind: [psutil.Process(service.pid)] for service in pipeline.services} | servers()


def servers() -> dict[str, list[psutil.Process]]:
    """The broker and the emulator, where they are children of ours."""
    children = [(child, " ".join(child.cmdline())) for child in psutil.Process().children(recursive=True)]
    found = {name: [child for child, line in children if sign in line] for name, sign in SERVERS.items()}
    return {name: processes for name, processes in found.items() if processes}


def cpu_seconds(groups: Groups) -> dict[str, float]:
    """What each group has used of the processors since its start, and the children that it has waited for."""
    return {name: sum(sum(process.cpu_times()[:4]) for process in processes) for name, processes in groups.items()}
