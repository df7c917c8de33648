# make run    the site on this machine: web, workers and monitor (HOST, PORT, DATA_DIR from the environment)
# make test   linters and the whole test suite, once on SQLite and once on PostgreSQL (ARGS='-k local' goes to pytest)
# make help   the other commands

# The first Python that is new enough, plain `python3` preferred; PYTHON=/path/to/python3.12 overrides.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)

VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime
DEVELOPMENT := $(VENV)/.development
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check

.PHONY: run test demo services faults lint bench pictures clean help
.DEFAULT_GOAL := help

run: $(RUNTIME)
	@exec $(BIN)/python manage.py run

demo: $(RUNTIME)
	@exec $(BIN)/python manage.py demo

test: $(DEVELOPMENT)
	@exec $(BIN)/python scripts/test $(ARGS)

lint: $(DEVELOPMENT)
	@exec $(BIN)/python scripts/test --only-checks

faults: $(DEVELOPMENT)
	@exec $(BIN)/python -m tests.faults --random 1800 $(ARGS)

bench: $(DEVELOPMENT)
	@set -e; for script in bench/*.py; do echo "== $$script"; $(BIN)/python "$$script"; done

pictures: $(DEVELOPMENT)
	@exec $(BIN)/python scripts/pictures

services:
	@exec scripts/services

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "Data folders (var/) are left alone."

help:
	@echo "make run       the site on this machine; HOST (127.0.0.1), PORT (8000) and DATA_DIR (var/) from the environment"
	@echo "make test      linters and all tests, on SQLite and on PostgreSQL; ARGS='-k local' is passed on to pytest"
	@echo "make demo      one real job from start to result in a temporary folder, every figure checked"
	@echo "make services  installs and starts what the tests use beyond Python (Debian, as root)"
	@echo "make faults    kills processes at every point and at random for half an hour, and counts what went wrong"
	@echo "make lint      the linters alone"
	@echo "make bench     the benchmarks"
	@echo "make pictures  the pictures in docs/pictures, taken anew with Chromium"
	@echo "make clean     removes .venv and caches"

# Stamps: the libraries are installed again only when what is asked for changed.
$(RUNTIME): $(BIN)/python requirements.txt
	@$(PIP) -r requirements.txt
	@touch $@

$(DEVELOPMENT): $(RUNTIME) requirements-dev.txt
	@$(PIP) -r requirements-dev.txt
	@touch $@

$(BIN)/python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Jobdeck needs Python 3.11 or newer, and none was found on PATH (python3 is: $$(python3 -V 2>&1))." >&2; \
		echo "Install one, or name it: make run PYTHON=/path/to/python3.12" >&2; exit 1; fi
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Jobdeck needs Python 3.11 or newer; $(PYTHON) is $$("$(PYTHON)" -V 2>&1)." >&2; exit 1; }
	@echo "making $(VENV) with $$("$(PYTHON)" -V)"
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Making $(VENV) failed. On Debian and Ubuntu the module is a package: apt-get install python3-venv" >&2; exit 1; }
