# What a person or CI runs. `make demo` and `make test` need Python ≥ 3.11, git and a network, and nothing else.
PYTHON ?= python3
BIN := .venv/bin
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# Trust whom the machine trusts: networks with a certificate authority of their own are common.
export UV_SYSTEM_CERTS := true

.PHONY: help demo test lint format opa schemas bench lock

help: ## List the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: opa ## Judge two real credit models, from training to signed evidence
	@$(BIN)/python -m examples.credit.demo

test: lint ## Everything: linters, types, policies and their coverage, Python and its coverage
	@$(BIN)/mandate policy test
	@rm -f .coverage*
	@$(BIN)/pytest -n 2 --dist loadgroup --cov --cov-report=
	@$(BIN)/coverage report

lint: opa ## ruff, mypy strict, Regal, opa fmt, opa check --strict with the input schema
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/mandate policy check --no-tests

format: .venv/ready ## Rewrite Python and Rego in the project's format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/mandate policy check --fix

opa: .venv/ready ## Obtain the pinned OPA and Regal (built once, from checksummed sources)
	@$(BIN)/python -m mandate.engine.opa.recipe opa regal

schemas: opa ## Write the published JSON Schemas again after a change of a model
	@$(BIN)/python -m mandate.schemas

bench: opa ## Side by side: start-up, rules, impact, ledger, the service beside raw OPA, admission beside an empty webhook
	@$(BIN)/python -m tests.bench.start_up
	@$(BIN)/python -m tests.bench.many_rules
	@$(BIN)/python -m tests.bench.impact
	@$(BIN)/python -m tests.bench.ledger
	@$(BIN)/python -m tests.bench.service
	@$(BIN)/python -m tests.bench.admission

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header
# What images have is a part of what is tested.
COMPILE_PART := $(COMPILE) --no-annotate --constraint requirements/dev.lock
SERVICE := --extra service --extra postgresql --extra traces

lock: ## Renew the lock files after a change of dependencies
	@$(COMPILE) --all-extras --group dev pyproject.toml --output-file requirements/dev.lock
	@$(COMPILE_PART) $(SERVICE) pyproject.toml --output-file requirements/service.lock
	@$(COMPILE_PART) $(SERVICE) --extra collectors pyproject.toml --output-file requirements/collector.lock
	@echo 'hatchling>=1.27' | $(COMPILE_PART) - --output-file requirements/build.lock

.venv/ready: requirements/dev.lock requirements/bootstrap.lock pyproject.toml
	@echo "Installing the locked environment into .venv (about 210 packages, once)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Mandate needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip --quiet --disable-pip-version-check install --require-hashes --no-deps -r requirements/bootstrap.lock
	@$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements/dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@
