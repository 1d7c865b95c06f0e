"""The gateway against its own OpenAPI document."""

import os
import subprocess
import sys
from pathlib import Path

import httpx

from shared.firestore import Places
from tests.integration.test_gateway_reads import VERGE, store
from tests.pipeline import run_pipeline
from tests.servers import Servers

CONFIG = Path(__file__).with_name("schemathesis.toml")
ROOT = Path(__file__).parents[2]


def test_the_gateway_does_as_its_document_says(servers: Servers, tmp_path: Path) -> None:
    """Schemathesis with all checks: no 5xx, no status, type or shape that is not documented, nothing valid refused and
    nothing invalid taken, no way around the key; on every route, reading included."""
    with run_pipeline(servers, tmp_path, READS_NEED_KEY="true", READ_SECONDS="20") as pipeline:
        store(Places(pipeline.firestore, pipeline.root), "Reuters", VERGE)
        pipeline.start("gateway")
        url = f"{pipeline.the('gateway').url}/openapi.json"
        run = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "--config-file", CONFIG, "run", url, "--checks", "all"),
                *("--header", f"X-API-Key: {pipeline.key}"),
            ],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            cwd=tmp_path,  # where it leaves its caches
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        routes = [methods for path in httpx.get(url).json()["paths"].values() for methods in path]
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"Tested: {len(routes)}" in run.stdout
