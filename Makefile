PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test test-matrix lint format bench coverage clean

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

test: $(STAMP) ## all tests, three files at a time
	@$(BIN)/python -m pytest --numprocesses 3 --dist loadfile

test-matrix: $(STAMP) ## the integration tests on every PostgreSQL that can be had as a wheel or is installed
	@$(BIN)/python -m tests.matrix

lint: $(STAMP) ## ruff, mypy strict, the import contract, sqlfluff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/sqlfluff lint --disable-progress-bar sql daemon/pattern_sync/database/statements

format: $(STAMP) ## put the code into its one format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only .

coverage: $(STAMP) ## all tests, with the lines that none of them ran
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

bench: $(STAMP) ## measure against floors taken in the same run; PARTS='bulk cpu' for some of it
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[embedded,dev,bench]'
	@$(BIN)/python -m benchmarks $(PARTS)

clean: ## remove everything that make has made
	rm -rf $(VENV) .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis
