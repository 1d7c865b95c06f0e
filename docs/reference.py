"""Writes docs/settings.md and docs/metrics.md from the code: `make docs`. A test says when they are out of date."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from prometheus_client import Counter, Gauge, Histogram
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from services.extractor.settings import ExtractorSettings
from services.gateway.settings import GatewaySettings
from services.saver.settings import SaverSettings
from shared.settings import CommonSettings, FirestoreSettings, WorkerSettings

DOCS = Path(__file__).parent
SERVICES = ("gateway", "extractor", "saver")
SHARED: list[tuple[str, type[BaseSettings]]] = [
    ("Every service", CommonSettings),
    ("Extractor and saver", WorkerSettings),
    ("Gateway and saver", FirestoreSettings),
]
OWN: list[tuple[str, type[BaseSettings]]] = [
    ("Gateway", GatewaySettings),
    ("Extractor", ExtractorSettings),
    ("Saver", SaverSettings),
]


def settings_page() -> str:
    """docs/settings.md."""
    parts = ["# Settings", "", "Environment variables. A wrong value stops the service with a message that names it."]
    told: set[str] = set()
    for title, settings in SHARED + OWN:
        rows = [
            f"| `{variable(name)}` | {default(field)} | {' '.join((field.description or '').split())} |"
            for name, field in settings.model_fields.items()
            if name not in told
        ]
        told |= settings.model_fields.keys() if settings in dict(SHARED).values() else set()
        parts += ["", f"## {title}", "", "| variable | default | |", "|---|---|---|", *rows]
    return "\n".join(parts) + "\n"


def variable(name: str) -> str:
    return "KAFKA_…" if name == "kafka" else name.upper()


def default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "the process id"
    value = field.get_default()
    text = "" if value is None or value == {} else str(getattr(value, "get_secret_value", lambda: value)())
    return f"`{text}`" if text else "none"


def metrics_page() -> str:
    """docs/metrics.md."""
    parts = [
        "# Metrics",
        "",
        "Prometheus, at `/metrics` of each service: the gateway's port, METRICS_PORT of the others.",
    ]
    for service in SERVICES:
        module = importlib.import_module(f"services.{service}.metrics")
        parts += ["", f"## {service.capitalize()}", "", "| metric | kind | labels | |", "|---|---|---|---|"]
        parts += metric_rows(module)
    return "\n".join(parts) + "\n"


def metric_rows(module: ModuleType) -> Iterator[str]:
    for metric in vars(module).values():
        if isinstance(metric, Counter | Gauge | Histogram):
            (family,) = metric.describe()
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = ", ".join(f"`{label}`" for label in metric._labelnames)
            yield f"| `{name}` | {family.type} | {labels} | {family.documentation} |"


PAGES = {"settings.md": settings_page, "metrics.md": metrics_page}

if __name__ == "__main__":
    for page, make in PAGES.items():
        (DOCS / page).write_text(make())
