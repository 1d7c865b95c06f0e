"""Templates to text. Whatever they are given is escaped, for it comes from whoever may post."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from shared.names import path_segment

HERE = Path(__file__).parent
STATIC = HERE / "static"


class Kind(NamedTuple):
    """A label in words: of many names, and of one."""

    many: str
    one: str


KINDS = {
    "PERSON": Kind("People", "Person"),
    "ORG": Kind("Organisations", "Organisation"),
    "GPE": Kind("Places", "Place"),
    "LOC": Kind("Landscapes", "Landscape"),
    "NORP": Kind("Groups", "Group"),
    "FAC": Kind("Buildings", "Building"),
    "PRODUCT": Kind("Products", "Product"),
    "EVENT": Kind("Events", "Event"),
    "WORK_OF_ART": Kind("Works", "Work"),
    "LAW": Kind("Laws", "Law"),
    "LANGUAGE": Kind("Languages", "Language"),
}
"""What the model finds. Models may have other labels; those are shown as they are."""


def render(template: str, **values: Any) -> str:
    return ENVIRONMENT.get_template(template).render(values)


def page_url(path: str, **query: str | None) -> str:
    """A page of ours. What it is about goes into the query: names hold slashes, and `..` is a step in a path."""
    given = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


def label_class(label: str) -> str:
    return f"label-{label.lower()}" if label in KINDS else "label-other"


def kind(label: str) -> Kind:
    return KINDS.get(label, Kind(label, label))


def _static_url() -> Callable[[str], str]:
    """Its address changes with its content, so that browsers may keep it for good."""
    marks = {file.name: hashlib.sha256(file.read_bytes()).hexdigest()[:12] for file in STATIC.iterdir()}
    return lambda name: f"/static/{name}?{marks[name]}"


ENVIRONMENT = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.globals |= {
    "label_colours": Markup((STATIC / "labels.css").read_text()),  # noqa: S704 (a file of ours)
    "page_url": page_url,
    "path_segment": path_segment,
    "static_url": _static_url(),
}
ENVIRONMENT.filters |= {"number": "{:,}".format, "label_class": label_class, "kind": kind}
