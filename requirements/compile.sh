#!/usr/bin/env bash
# Pins everything again from pyproject.toml: one hashed list per image, and `dev` for the whole project.
set -euo pipefail
cd "$(dirname "$0")/.."
pin() { uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 "$@"; }
for service in gateway extractor saver; do
    pin pyproject.toml --extra "$service" --output-file "requirements/$service.txt"
done
echo "uv==0.13.9" | pin - --output-file requirements/uv.txt
pin pyproject.toml --extra gateway --extra extractor --extra saver --extra cli --extra dev --output-file requirements/dev.txt
