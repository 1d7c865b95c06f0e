"""`namedrop status`: what runs, how far behind it is, and what was given up."""

from typing import Annotated

import httpx
import typer
from confluent_kafka.admin import AdminClient
from pydantic import BaseModel
from rich.console import Group, RenderableType
from rich.markup import escape

from cli import output
from cli.lag import group, unread
from cli.running import PipelineSettings, open_kafka, pipeline_settings, running_stack
from cli.state import StackState
from cli.watching import refuse_json, watch
from shared.lag import count_records, stretches

ANSWER_SECONDS = 3.0


class GroupStatus(BaseModel):
    """A consumer group and what it reads."""

    name: str
    topic: str
    state: str
    members: int
    partitions: int
    """Those that have a member."""
    lag: int
    """Records that it has not read."""


class ProcessStatus(BaseModel):
    """A process of the local stack."""

    up: bool
    """The gateway is when it says that it is ready."""
    pid: int | None
    metrics_url: str | None
    """Where Prometheus finds it; Kafka and Firestore have none."""


class Status(BaseModel):
    """All that `--json` prints."""

    groups: dict[str, GroupStatus]
    """By service: extractor, saver."""
    dead_letters: dict[str, int]
    """Records, by topic."""
    processes: dict[str, ProcessStatus]
    """Of the local stack, if it is that."""


def status(
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
    again: Annotated[bool, typer.Option("--watch", "-w", help="Look again every two seconds, until Ctrl-C.")] = False,
) -> None:
    """Show how far behind each service is, and what was given up.

    It asks the Kafka that KAFKA_BOOTSTRAP_SERVERS names, else the one of `namedrop up`. Lag and dead letters are
    counted in records, up to 1,000 in a partition; beyond that, in offsets, of which transactions take some too.
    """
    settings = pipeline_settings()
    if again:
        refuse_json(as_json=as_json)
        watch(lambda: tables(look(settings), settings))
    elif as_json:
        output.print_json(look(settings).model_dump())
    else:
        output.out.print(tables(look(settings), settings))


def look(settings: PipelineSettings) -> Status:
    """Raises CommandError when Kafka does not answer."""
    stack = running_stack()
    # A client for each look: one that was asked about a group while its broker died may never answer that again.
    with open_kafka(settings) as admin:
        return Status(
            groups={
                "extractor": group_status(admin, settings, settings.extractor_group, settings.posts_topic),
                "saver": group_status(admin, settings, settings.saver_group, settings.entities_topic),
            },
            dead_letters={
                topic: count_records(settings, stretches(admin, topic))
                for topic in (settings.posts_dlq_topic, settings.entities_dlq_topic)
            },
            processes=_processes(stack) if stack and stack.bootstrap_servers == settings.bootstrap_servers else {},
        )


def group_status(admin: AdminClient, settings: PipelineSettings, name: str, topic: str) -> GroupStatus:
    there = group(admin, name)
    return GroupStatus(
        name=name,
        topic=topic,
        state=there.state,
        members=there.members,
        partitions=there.partitions,
        lag=count_records(settings, unread(settings, admin, name, topic)),
    )


def _processes(stack: StackState) -> dict[str, ProcessStatus]:
    return {
        name: ProcessStatus(
            up=_ready(stack.gateway_url) if name == "gateway" else process.pid is not None,
            pid=process.pid,
            metrics_url=process.metrics_url,
        )
        for name, process in stack.processes.items()
    }


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", timeout=ANSWER_SECONDS, trust_env=False).is_success
    except httpx.TransportError:
        return False


def tables(found: Status, settings: PipelineSettings) -> RenderableType:
    groups = output.new_table(f"Groups at {escape(settings.bootstrap_servers)}")
    for heading in ("group", "reads", "state"):
        groups.add_column(heading)
    for heading in ("members", "partitions", "lag"):
        groups.add_column(heading, justify="right")
    for each in found.groups.values():
        state = f"[{'green' if each.state == 'stable' else 'yellow' if each.members else 'red'}]{each.state}"
        numbers = (f"{each.members}", f"{each.partitions}", _amount(each.lag, "yellow"))
        groups.add_row(escape(each.name), escape(each.topic), state, *numbers)
    letters = output.new_table("Dead letters")
    letters.add_column("topic")
    letters.add_column("records", justify="right")
    for topic, records in found.dead_letters.items():
        letters.add_row(escape(topic), _amount(records, "red"))
    shown: list[RenderableType] = [groups, "", letters]
    if found.processes:
        processes = output.new_table("Processes")
        for heading in ("name", "is"):
            processes.add_column(heading)
        processes.add_column("pid", justify="right")
        processes.add_column("metrics")
        for name, process in found.processes.items():
            state = "[green]up" if process.up else "[red]down"
            processes.add_row(escape(name), state, str(process.pid or ""), escape(process.metrics_url or ""))
        shown += ["", processes]
    return Group(*shown)


def _amount(records: int, style: str) -> str:
    """Nothing is nothing to look at."""
    return f"[{style} bold]{records:,}" if records else "0"
