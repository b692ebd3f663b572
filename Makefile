# Needs python3 (3.11 or newer), make and a package index. Everything else comes from the locks.
# A target's comment after ## is what `make help` prints.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
# Arguments for the program that a target runs: make demo ARGS="--day 2s"
ARGS ?=

# The locks alone decide what is installed, so constraints set for this machine are left out.
export PIP_CONSTRAINT :=
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Compiled once, not again by every process.
unexport PYTHONDONTWRITEBYTECODE
unexport UV_CONSTRAINT UV_OVERRIDE UV_BUILD_CONSTRAINT UV_PYTHON UV_SYSTEM_PYTHON PYTHONPATH PYTHONHOME

# uv's summary and its large downloads, without a line for each package.
INSTALL := VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install
TERSE := 2>&1 | sed '/^ [-+~] /d'

.PHONY: help
help: ## Print this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name what; do \
	  printf '  make %-10s %s\n' "$$name" "$$what"; done

# --- run -------------------------------------------------------------------------------------------

.PHONY: demo
demo: $(VENV)/.embedded ## Watch four customers walk the abandoned-cart journey; days take seconds
	@$(BIN)/sojourn demo $(ARGS)

.PHONY: dev
dev: $(VENV)/.embedded ## Start Temporal, the API and a worker on this machine; Ctrl-C ends all
	@$(BIN)/sojourn dev $(ARGS)

# --- check -----------------------------------------------------------------------------------------

# Files side by side, the long ones first: see tests/conftest.py. Each process has servers of its own.
ABREAST := --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
QUICK := tests/journeys tests/store tests/api

.PHONY: test
test: lint ## Check everything: style, types, directions of imports, tests (what CI runs)
	$(BIN)/pytest $(ABREAST) $(ARGS)

.PHONY: quick
quick: $(VENV)/.dev ## Check in a minute: the pure rooms, the store on SQLite, the doors
	SOJOURN_TEST_RACES=400 $(BIN)/pytest $(ABREAST) --dist worksteal -m "not postgres" $(QUICK) $(ARGS)

.PHONY: chaos
chaos: $(VENV)/.dev ## Kill processes amid 10,000 sends, and race 20,000 exits; takes a quarter of an hour
	SOJOURN_TEST_SENDS=10000 SOJOURN_TEST_RACES=20000 \
	  $(BIN)/pytest --capture=no -o faulthandler_timeout=0 tests/chaos tests/store/test_races.py $(ARGS)

.PHONY: fuzz
fuzz: $(VENV)/.dev ## Hold thousands of requests by lot against the API's description; all of it takes hours
	SOJOURN_TEST_EXAMPLES=200 $(BIN)/pytest --capture=no -o faulthandler_timeout=0 tests/api/test_described.py $(ARGS)

.PHONY: coverage
coverage: $(VENV)/.dev ## Run the tests, and list the lines that none of them reaches
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(ABREAST) -m "not chaos" $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

.PHONY: lint
lint: $(VENV)/.dev ## Check style, types and directions of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

.PHONY: format
format: $(VENV)/.dev ## Format the code and mend what can be mended
	$(BIN)/ruff check --fix-only --show-fixes
	$(BIN)/ruff format

.PHONY: docs
docs: $(VENV)/.dev ## Write the tables of the docs that follow from the code
	$(BIN)/python -m tests.tables

.PHONY: bench
bench: $(VENV)/.dev ## Measure what a journey costs beside a hand-written one; takes minutes
	$(BIN)/python -m bench $(ARGS)

.PHONY: histories
histories: $(VENV)/.dev ## Record the histories that replay tests keep for this version
	$(BIN)/python tests/histories/record.py $(ARGS)

# --- install ---------------------------------------------------------------------------------------

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
          --generate-hashes --no-emit-index-url --custom-compile-command "make lock" $(ARGS)
LOCK = $(COMPILE) pyproject.toml

# dev.txt decides; the other two are parts of it, so that one .venv serves demo, dev and test alike.
.PHONY: lock
lock: $(VENV)/.uv-$(UV_VERSION) ## Write the locks anew from pyproject.toml; ARGS=--upgrade takes newer releases
	@mkdir -p locks
	$(LOCK) --extra embedded --extra providers --group dev --output-file locks/dev.txt
	$(LOCK) --constraints locks/dev.txt --extra embedded --extra providers --output-file locks/embedded.txt
	$(LOCK) --constraints locks/dev.txt --extra providers --output-file locks/production.txt
	$(COMPILE) --group clients --output-file locks/clients.txt

.PHONY: clean
clean: ## Remove the environment and all caches; data in .sojourn/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

$(VENV)/.uv-$(UV_VERSION):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Sojourn needs Python 3.11 or newer, but '$(PYTHON)' is $$($(PYTHON) --version 2>/dev/null || echo 'not there')." >&2; \
	  echo "Name another one: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version) and uv $(UV_VERSION)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --quiet "uv==$(UV_VERSION)"
	@touch $@

$(VENV)/.%: locks/%.txt pyproject.toml $(VENV)/.uv-$(UV_VERSION)
	@echo "Installing $< (a minute the first time, nothing the next)"
	@$(INSTALL) --require-hashes --requirement $< $(TERSE)
	@$(INSTALL) --quiet --no-deps --editable .
	@touch $@
