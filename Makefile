# Registry. Every target calls `python -m ...` or `registry ...` inside $(VENV); nothing here asks a question.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

VENV ?= .venv
WORKERS ?= 2
# The first interpreter that is new enough.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$name"; break; }; done)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

PY := $(VENV)/bin/python
PYTEST := $(PY) -m pytest
INSTALL := $(PY) -m pip install -qq
LOCKED = --universal --no-strip-extras --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet $(ARGS)
READY_RUN := $(VENV)/.ready-run
READY_DEV := $(VENV)/.ready-dev

.PHONY: help
help: ## show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# ---- what the README shows ----

.PHONY: demo
demo: $(READY_RUN) ## tell the whole story on made-up people: enroll, look up, leak, trace, verify
	@$(VENV)/bin/registry demo $(ARGS)

.PHONY: test
test: lint types contracts ## everything that must hold: lint, types, floors and the whole suite
	$(PYTEST) -m "not slow" -n $(WORKERS)

# ---- set-up ----

.PHONY: setup
setup: $(READY_DEV) ## make $(VENV) with the tools of development (runs once)

$(PY):
	@[ -n "$(PYTHON)" ] || { echo "Registry needs Python 3.11 or newer; found: $$(python3 --version 2>&1 || true)." \
		"Install it, or name it: make PYTHON=/path/to/python3.11 setup" >&2; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version 2>&1) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python's venv module is missing; on Debian and Ubuntu install python3-venv." >&2; exit 1; }

$(READY_RUN): requirements.txt | $(PY)
	@echo "Installing what Registry runs on (hashes checked) ..."
	@$(INSTALL) --require-hashes --only-binary :all: -r requirements.txt
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(READY_DEV): requirements-dev.txt requirements.txt | $(PY)
	@echo "Installing Registry with its development tools (hashes checked) ..."
	@$(INSTALL) --require-hashes --only-binary :all: -r requirements-dev.txt
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $(READY_RUN) $@

# ---- while working ----

.PHONY: check
check: lint types contracts ## the loop before a commit: format, lint, types, floors, unit (under a minute)
	$(PYTEST) -m "not slow" -n $(WORKERS) tests/unit tests/architecture

.PHONY: lint
lint: $(READY_DEV) ## formatting and lint rules
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .

.PHONY: types
types: $(READY_DEV) ## mypy strict on the package and the benchmarks, and the calls that must be type errors
	$(PY) -m mypy
	$(PY) -m mypy benchmarks
	$(PY) -m mypy tests/typing

.PHONY: contracts
contracts: $(READY_DEV) ## the floors: who may import whom
	$(VENV)/bin/lint-imports --no-cache

.PHONY: graph
graph: $(READY_DEV) ## draw the import graph of the rooms from the code
	@$(PY) -m tests.architecture.import_graph

.PHONY: format
format: $(READY_DEV) ## write the formatting, and the fixes ruff is sure of
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

# ---- longer rounds ----

.PHONY: deep
deep: $(READY_DEV) ## the long round: slow tests, thousands of generated examples
	HYPOTHESIS_PROFILE=deep $(PYTEST) -n $(WORKERS)

.PHONY: bench
bench: $(READY_DEV) ## measure on this machine, beside what people would use instead (ARGS=--quick)
	@$(PY) -m benchmarks $(ARGS)

# ---- running and keeping ----

.PHONY: serve
serve: $(READY_RUN) ## a development registry in ./.registry on http://127.0.0.1:8000
	@$(VENV)/bin/registry --home .registry init
	@$(VENV)/bin/registry --home .registry serve --port 8000

.PHONY: migrate
migrate: $(READY_DEV) ## write a new migration from the tables: make migrate m="what changes"
	@[ -n "$(m)" ] || { echo 'Say what changes: make migrate m="..."' >&2; exit 2; }
	@scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; url="url=sqlite:///$$scratch/registry.db"; \
		$(PY) -m alembic -x "$$url" upgrade head && $(PY) -m alembic -x "$$url" revision --autogenerate -m "$(m)" \
		--rev-id "$$(printf %04d $$(($$(ls migrations/versions/*.py | wc -l) + 1)))"

.PHONY: lock
lock: $(READY_DEV) ## pin every dependency with its hashes (ARGS=--upgrade takes the newest)
	$(PY) -m uv pip compile pyproject.toml --extra build --extra postgresql $(LOCKED) -o requirements.txt
	$(PY) -m uv pip compile pyproject.toml --all-extras -c requirements.txt $(LOCKED) -o requirements-dev.txt

.PHONY: clean
clean: ## remove caches and build results; keeps $(VENV) and any registry's data
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	find registry tests migrations benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
