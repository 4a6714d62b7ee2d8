.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
AUDIT := $(VENV)/audit
DEMO_READY := $(VENV)/.ready-demo
NEEDS_PYTHON := 3.11
LOCK := --quiet --universal --python-version $(NEEDS_PYTHON) --generate-hashes --no-annotate \
	--custom-compile-command "make lock"

.PHONY: help setup demo test compose-test check coverage wheel tools audit sbom hooks soak bench lock clean

help: ## the targets
	@grep -hE "^[a-z-]+:.*##" $(MAKEFILE_LIST) | awk -F":.*## " '{printf "  make %-9s %s\n", $$1, $$2}'

$(READY): pyproject.toml requirements.lock
	@bash deploy/setup.sh "$(VENV)" "$(NEEDS_PYTHON)" requirements.lock "$(PYTHON)"
	@touch $@

$(DEMO_READY): pyproject.toml deploy/demo.lock # without the tools of tests, where nothing is installed yet
	@if [ -e $(READY) ]; then $(MAKE) --no-print-directory setup; \
	else bash deploy/setup.sh "$(VENV)" "$(NEEDS_PYTHON)" deploy/demo.lock "$(PYTHON)"; fi
	@touch $@

setup: $(READY) ## install everything from the lock into .venv (every other target does this first)

demo: $(DEMO_READY) ## a year of a real shop through the real worker, on an embedded broker
	@$(BIN)/stream demo $(ARGS)

test: $(READY) ## every test, on a real Apache Kafka where Java and Maven (or Docker) are present
	@$(BIN)/pytest -n 3 --dist worksteal $(ARGS)

compose-test: $(READY) ## docker-compose.yml for real, with Docker: every service, kills, faults and their alerts
	@COMPOSE_TEST=1 $(BIN)/pytest -n 0 tests/compose $(ARGS)

check: $(READY) ## lint, types and the fast tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/pytest -q -n 2 --dist worksteal -m "not kafka and not data and not slow" -x

coverage: $(READY) ## share of the lines and branches that the fast tests run, by module
	@$(BIN)/pytest -q -n 2 --dist worksteal -m "not kafka and not data and not slow" --cov --cov-report=term:skip-covered $(ARGS)

wheel: $(READY) ## build wheel and sdist, install the wheel into an empty environment, run it there
	@.ci/wheel $(BIN)/python

tools: tools-go tools-hadolint ## kustomize, actionlint, compose-go and hadolint, which some tests call

tools-%: $(READY)
	@.ci/tools $*

$(AUDIT)/.ready: deploy/audit.lock $(READY)
	@$(BIN)/python -m venv $(AUDIT)
	@$(AUDIT)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r deploy/audit.lock
	@touch $@

audit: $(AUDIT)/.ready ## known vulnerabilities of everything that is pinned (asks the package index)
	@$(AUDIT)/bin/pip-audit --progress-spinner off --require-hashes --disable-pip -r requirements.lock $(ARGS)

sbom: $(AUDIT)/.ready ## what the image holds, as CycloneDX JSON: sbom.json
	@$(AUDIT)/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible \
		-o sbom.json deploy/requirements.lock

hooks: $(READY) ## lint, format and types before every commit (git hooks, by pre-commit)
	@$(BIN)/pre-commit install

soak: $(READY) ## random crashes on a real Apache Kafka: 200 of workers (ARGS="--crashes 1000 --seed 7", or --long), 500 of deliver (DELIVER=...)
	@$(BIN)/python -u -m tests.faults.soak $(ARGS)
	@$(BIN)/python -u -m tests.faults.deliver_soak $(DELIVER)

bench: $(READY) ## measure beside other stream processors on a real Kafka: a table, and JSON as the last line (QUICK=1)
	@$(BIN)/python -m bench all $(if $(QUICK),--quick) $(ARGS)

lock: ## pin every dependency again, with hashes, also for the image (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv: pip install uv"; exit 2; }
	uv pip compile $(LOCK) --all-extras --group dev pyproject.toml -o requirements.lock
	uv pip compile $(LOCK) --extra rocksdb --extra dashboard --constraint requirements.lock pyproject.toml -o deploy/requirements.lock
	uv pip compile $(LOCK) --group audit -o deploy/audit.lock
	uv pip compile $(LOCK) --extra demo --extra dashboard --extra fit --group build --constraint requirements.lock pyproject.toml -o deploy/demo.lock

clean: ## remove everything that make and the tools created
	rm -rf $(VENV) sbom.json build dist .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis
