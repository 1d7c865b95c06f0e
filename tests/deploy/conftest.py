"""The servers are the integration tests' own."""

from tests.integration.conftest import pipeline, pytest_report_header, servers

__all__ = ["pipeline", "pytest_report_header", "servers"]
