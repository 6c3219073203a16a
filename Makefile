# The front door. Everything runs in .venv, which the first call makes.
PYTHON ?= python3
BIN = .venv/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet --no-input
CODE = audit benchmarks deploy dtat_site ocr review samples tenants tests manage.py

.DEFAULT_GOAL = help
.PHONY: help run test check fix messages bench soak setup setup-dev

help:
	@echo "make run    the whole product on this machine (Ctrl-C stops it)"
	@echo "make test   every test"
	@echo "make check  linters, types, import rules, generated files"
	@echo "make fix    format what can be formatted"
	@echo "make messages  catalogues brought up to date and compiled"
	@echo "make bench  benchmarks: BENCH=name, QUICK=1"
	@echo "make soak   kills, database stops and faults of Textract under load: SOAK_MINUTES=30"

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed (python3 --version)."; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "Install the venv module first: apt install python3-venv"; exit 1; }

.venv/run.stamp: requirements.txt requirements-local.txt | .venv/bin/python
	@echo "Installing (first use) ..."
	@$(PIP) install --require-hashes -r requirements.txt -r requirements-local.txt
	@touch $@

.venv/dev.stamp: requirements-dev.txt .venv/run.stamp
	@echo "Installing the development tools (first use) ..."
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

# What checks the pages' scripts; only the checks need it.
node_modules/.package-lock.json: package-lock.json
	@command -v npm >/dev/null || { echo "npm is needed to check the pages: apt install npm"; exit 1; }
	@echo "Installing what checks the pages (first use) ..."
	@npm ci --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

setup: .venv/run.stamp
setup-dev: .venv/dev.stamp

run: setup
	@exec $(BIN)/python -m deploy.local

test: setup-dev
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(TESTS)

check: setup-dev node_modules/.package-lock.json
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(BIN)/python -m tests.house.with_database $(BIN)/mypy $(CODE)
	@$(BIN)/djlint --lint --quiet templates
	@node_modules/.bin/tsc -p jsconfig.json
	@$(BIN)/python -m tests.house.with_database $(BIN)/python manage.py makemigrations --check --dry-run --verbosity 0
	@$(BIN)/python -m tests.house.with_database $(BIN)/python manage.py rebuild_states_diagram --check

fix: setup-dev
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .

messages: setup-dev
	@$(BIN)/python -m tests.house.messages

bench: setup-dev
	@$(BIN)/python -m benchmarks $(BENCH)

soak: setup-dev
	@$(BIN)/python -m tests.faults.soak
