"""`namedrop topics`: makes the project's topics where they are missing."""

from typing import Annotated

import typer

from cli.running import open_kafka, pipeline_settings
from shared.topics import ensure_topics, wanted


def topics(
    bootstrap_server: Annotated[
        str | None, typer.Option(help="By default what KAFKA_BOOTSTRAP_SERVERS says, else the Kafka of `namedrop up`.")
    ] = None,
    replication: Annotated[int, typer.Option(min=-1, help="Copies of each record; -1 is the broker's default.")] = -1,
) -> None:
    """Make the topics that are missing.

    Those that are there are left alone. Names, and how to log in to Kafka, come from the variables of the services.
    """
    settings = pipeline_settings(bootstrap_server)
    with open_kafka(settings) as admin:
        made = ensure_topics(admin, wanted(settings), replication)
    for topic in wanted(settings):
        made_as = f"made, {topic.partitions} partitions"
        typer.echo(f"{topic.name}: {made_as if topic.name in made else 'was there'}")
