# Headroom: everything a developer needs, behind one word each. `make help` lists them.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PORT   ?= $(or $(HEADROOM_PORT),8000)
PYTEST_ARGS ?=
BENCH_ARGS ?=
DATA ?= ../shared/data

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help install run test check rehearse bench validate openapi fmt lock

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP)  ## make the virtual environment from the hash-checked lock

run: $(STAMP)  ## serve the demo company on port 8000, database included (PORT=…)
	@$(BIN)/headroom serve --demo --port $(PORT)

test: $(STAMP)  ## the whole suite against a real PostgreSQL (PYTEST_ARGS=…)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: $(STAMP)  ## format, lint, types, import rules, OpenAPI document, deployment
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m app.cli openapi --check
	$(BIN)/python -m tests.deploy.check

rehearse: $(STAMP)  ## build as the Dockerfile does, without Docker, and run the result read-only (as root)
	$(BIN)/python -m tests.deploy.rehearse

bench: $(STAMP)  ## measure, print the table, write JSON (BENCH_ARGS=…)
	$(BIN)/python -m tests.bench $(BENCH_ARGS)

validate: $(STAMP)  ## validate the default policy on real data, where there are any (DATA=directory)
	$(BIN)/python -m tests.validation $(DATA)

openapi: $(STAMP)  ## write openapi/headroom.json anew
	$(BIN)/python -m app.cli openapi

fmt: $(STAMP)  ## format the code and mend what the linter can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  --no-emit-find-links -q

lock: $(STAMP)  ## resolve the dependencies anew and write the locks (needs uv)
	$(COMPILE) pyproject.toml --upgrade -o requirements.lock
	$(COMPILE) pyproject.toml --extra embedded --group dev --constraints requirements.lock -o requirements-dev.lock
	echo hatchling | $(COMPILE) - --constraints requirements-dev.lock -o requirements-build.lock

# The stamp is newer than what the environment was made from, so a second `make install` has nothing to do. An environment
# whose Python does not start (moved, or made by a Python since removed) is made anew.
$(STAMP): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Headroom needs Python 3.11 or newer; say which: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV) \
	  || { echo "could not make $(VENV); on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
