#!/usr/bin/env bash
# Pins everything again from pyproject.toml: one hashed list per image (the gateway's also with word clouds), and `dev`
# for the whole project.
set -euo pipefail
cd "$(dirname "$0")/.."
pin() { uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 "$@"; }
for service in gateway extractor saver cli; do
    pin pyproject.toml --extra "$service" --output-file "requirements/$service.txt"
done
pin pyproject.toml --extra gateway --extra wordcloud --output-file requirements/gateway-wordcloud.txt
echo "uv==0.13.9" | pin - --output-file requirements/uv.txt
pin pyproject.toml --extra gateway --extra wordcloud --extra extractor --extra saver --extra cli --extra dev --output-file requirements/dev.txt
