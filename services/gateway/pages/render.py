"""Templates to text. Whatever they are given is escaped, for it comes from whoever may post."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from shared.names import path_segment

HERE = Path(__file__).parent
STATIC = HERE / "static"
LABELS = {
    "PERSON": "People",
    "ORG": "Organisations",
    "GPE": "Countries, cities",
    "LOC": "Landscapes",
    "NORP": "Peoples, parties",
    "FAC": "Buildings",
    "PRODUCT": "Products",
    "EVENT": "Events",
    "WORK_OF_ART": "Works",
    "LAW": "Laws",
    "LANGUAGE": "Languages",
}
"""What the model finds, in words. Models may have other labels; those are shown as they are."""


def render(template: str, **values: Any) -> str:
    return ENVIRONMENT.get_template(template).render(values)


def page_url(path: str, **query: str | None) -> str:
    """A page of ours. What it is about goes into the query: names hold slashes, and `..` is a step in a path."""
    given = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


def label_class(label: str) -> str:
    return f"label-{label.lower()}" if label in LABELS else "label-other"


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
ENVIRONMENT.filters |= {"number": "{:,}".format, "label_class": label_class}
