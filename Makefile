PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# One lock for every Python and platform: hashes, markers, and no package index by name.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	--custom-compile-command 'make lock' pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help demo test test-matrix test-lowest test-highest lint format bench coverage lock build clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

# One stamp for everything: a second call is fast, a change of the dependencies installs anew.
$(STAMP): pyproject.toml requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "pattern-sync needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "No virtual environment could be made. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	$(PIP) --no-deps --require-hashes --requirement requirements/dev.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP) ## the main job at work: embedded PostgreSQL, the daemon, a simulated detector, the queue filling up
	@$(BIN)/pattern-sync demo

test: $(STAMP) ## all tests, three files at a time
	@$(BIN)/python -m pytest --numprocesses 3 --dist loadfile

test-matrix: $(STAMP) ## the integration tests on every PostgreSQL that can be had as a wheel or is installed
	@$(BIN)/python -m tests.matrix

# What the lock does not hold: the versions that pyproject.toml claims, and those that a user gets today.
test-lowest: RESOLUTION := lowest-direct
test-lowest: ## all tests on the lowest versions that pyproject.toml claims; TESTS=tests/unit for some of them
test-highest: RESOLUTION := highest
test-highest: ## the same on the newest versions
test-lowest test-highest: $(STAMP)
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)-$(RESOLUTION)
	$(BIN)/uv pip install --quiet --python $(VENV)-$(RESOLUTION) --resolution $(RESOLUTION) --editable '.[embedded,dev]'
	$(VENV)-$(RESOLUTION)/bin/python -m pytest --numprocesses 3 --dist loadfile $(TESTS)

lint: $(STAMP) ## ruff, mypy strict, the import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(STAMP) ## put the code into its one format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only .

coverage: $(STAMP) ## all tests, with the lines that none of them ran
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

bench: $(STAMP) ## measure against floors taken in the same run; PARTS='bulk cpu' for some of it
	@$(PIP) --no-deps --require-hashes --requirement requirements/bench.txt
	@$(BIN)/python -m benchmarks $(PARTS)

lock: $(STAMP) ## renew requirements/: the newest versions that pyproject.toml allows
	$(COMPILE) --extra embedded --extra dev --output-file requirements/dev.txt
	$(COMPILE) --extra bench --constraints requirements/dev.txt --output-file requirements/bench.txt
	$(COMPILE) --constraints requirements/dev.txt --output-file requirements/runtime.txt

build: $(STAMP) ## the wheel and the source distribution, in dist/
	$(BIN)/hatchling build --clean

clean: ## remove everything that make has made
	rm -rf $(VENV) $(VENV)-* dist .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis
