PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# One lock for every Python and platform: hashes, markers, and no package index by name.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	--custom-compile-command 'make lock' pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help demo check test test-systemd test-containers test-faults test-learning soak test-matrix test-upgrade test-lowest test-highest lint ruff mypy contracts sql unit
.PHONY: format docs bench coverage lock build release-check sbom clean hadolint
.PHONY: check-page .check-page format-page .format-page page-types

# A shell may forbid it, and then every one of the hundreds of processes of the tests compiles the program anew.
unexport PYTHONDONTWRITEBYTECODE
# Side by side, each tool's words together where make can do that.
PARALLEL := $(MAKE) --no-print-directory --jobs $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
# Most tests wait for a server, a process or a browser; those that measure time run alone, when the others are done.
TOGETHER := -m pytest -m 'not timing and not slow' --numprocesses auto --dist loadgroup --no-loadscope-reorder --durations 10
ALONE := -m pytest -m 'timing and not slow' --durations 10

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

# The tools that check the review page; nothing of them is shipped. An older Node.js takes the page's modules for CommonJS.
PAGE := tests/page
PAGE_STAMP := $(PAGE)/node_modules/.installed
PAGE_BIN := cd $(PAGE) && node_modules/.bin
PAGE_FILES := . ../../daemon/pattern_sync/web/static
WIRE := openapi-typescript --root-types --root-types-no-schema-prefix --root-types-keep-casing --output wire.d.ts
HAS_NODE := npm --version >/dev/null 2>&1 && node -e 'const [major, minor] = process.versions.node.split(".").map(Number); \
	process.exit(major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19) ? 0 : 1)'

$(PAGE_STAMP): $(PAGE)/package-lock.json
	@npm ci --prefix $(PAGE) --no-audit --no-fund --loglevel=error >/dev/null \
		|| { echo "The tools that check the review page could not be installed from the npm registry."; exit 1; }
	@touch $@

demo: $(STAMP) ## the main job at work: embedded PostgreSQL, the daemon, a simulated detector, the queue filling up
	@$(BIN)/pattern-sync demo

check: $(STAMP) ## what to run before every commit: lint, types, unit tests
	@$(PARALLEL) ruff mypy contracts sql unit

test: $(STAMP) ## all tests
	@$(BIN)/python $(TOGETHER)
	@$(BIN)/python $(ALONE)

test-faults: $(STAMP) ## every fault under traffic, one after the other; TEST_FAULTS_LONGER=10 lets each last ten times as long
	@$(BIN)/python -m pytest --capture=no tests/faults

test-learning: $(STAMP) ## 320 made-up reviewers, one of four tossing a coin; twenty minutes
	@$(BIN)/python -m pytest tests/learning

soak: $(STAMP) ## random faults under traffic; ARGS='--seconds 3600 --patterns 1000000'
	@$(BIN)/python -m tests.soak $(ARGS)

test-systemd: $(STAMP) ## the units under a real systemd; OUTAGE_SECONDS=600 for a longer outage; skipped without root
	@TEST_OUTAGE_SECONDS=$(OUTAGE_SECONDS) $(BIN)/python -m pytest tests/systemd --durations 10

test-containers: $(STAMP) ## the image and docker-compose.yml in real containers; skipped without an engine
	@$(BIN)/python -m pytest tests/containers --durations 10

test-matrix: $(STAMP) ## the integration tests on every PostgreSQL that can be had as a wheel or is installed
	@$(BIN)/python -m tests.matrix

test-upgrade: $(STAMP) ## two daemons of the released version through an upgrade and back, on every PostgreSQL at hand
	@TEST_UPGRADE=1 $(BIN)/python -m tests.matrix tests/process/test_upgrade.py

# What the lock does not hold: the versions that pyproject.toml claims, and those that a user gets today.
test-lowest: RESOLUTION := lowest-direct
test-lowest: ## all tests on the lowest versions that pyproject.toml claims; TESTS=tests/unit for some of them
test-highest: RESOLUTION := highest
test-highest: ## the same on the newest versions
test-lowest test-highest: $(STAMP)
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)-$(RESOLUTION)
	$(BIN)/uv pip install --quiet --python $(VENV)-$(RESOLUTION) --resolution $(RESOLUTION) --editable '.[embedded,dev]'
	$(VENV)-$(RESOLUTION)/bin/python $(TOGETHER) $(TESTS)
	$(VENV)-$(RESOLUTION)/bin/python $(ALONE) $(TESTS) || [ $$? = 5 ] # 5: none of TESTS measures time

lint: $(STAMP) ## ruff, mypy strict, the import contracts, sqlfluff, hadolint
	@$(PARALLEL) ruff mypy contracts sql hadolint

ruff: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

mypy: $(STAMP)
	$(BIN)/mypy

hadolint: $(STAMP)
	$(BIN)/hadolint Dockerfile

contracts: $(STAMP)
	$(BIN)/lint-imports --no-cache

# The only linter that keeps no cache of its own: it takes longer than all others together.
SQL := sql daemon/pattern_sync/database/statements
sql: $(VENV)/.sql-linted
$(VENV)/.sql-linted: $(STAMP) .sqlfluff .sqlfluffignore $(shell find $(SQL) -name '*.sql')
	$(BIN)/sqlfluff lint --disable-progress-bar $(SQL)
	@touch $@

unit: $(STAMP)
	@$(BIN)/python -m pytest --quiet tests/unit

format: $(STAMP) ## put the code into its one format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only .
	@$(MAKE) --no-print-directory format-page

check-page: ## the review page: format, lint, types, unit tests; skipped without Node.js
	@if $(HAS_NODE); then $(MAKE) --no-print-directory .check-page; else \
		echo "The review page was not checked: that needs npm and Node.js 20.19, 22.12 or newer."; fi

.check-page: $(STAMP) $(PAGE_STAMP)
	$(PAGE_BIN)/biome check $(PAGE_FILES)
	@$(BIN)/python -m tests.page.describe | ($(PAGE_BIN)/$(WIRE) --check) >/dev/null \
		|| { echo "$(PAGE)/wire.d.ts is not what the daemon sends any more; try: make page-types"; exit 1; }
	$(PAGE_BIN)/tsc --build tsconfig.tests.json
	@cd $(PAGE) && node --test --test-reporter=dot --disable-warning=ExperimentalWarning *.test.js

format-page: ## put the review page into its one format; skipped without Node.js
	@if $(HAS_NODE); then $(MAKE) --no-print-directory .format-page; fi

.format-page: $(PAGE_STAMP)
	$(PAGE_BIN)/biome check --write --linter-enabled=false $(PAGE_FILES)

page-types: $(STAMP) $(PAGE_STAMP) ## generate anew what the page knows of the API
	$(BIN)/python -m tests.page.describe | ($(PAGE_BIN)/$(WIRE))

docs: $(STAMP) ## write what comes from the code: parts of docs/reference, systemd/pattern-sync.env
	@$(BIN)/python -m tools.reference
	@$(BIN)/python -m tools.environment_file

coverage: $(STAMP) ## all tests, with the lines that none of them ran
	$(BIN)/coverage erase
	$(BIN)/coverage run $(TOGETHER)
	$(BIN)/coverage run $(ALONE)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

bench: $(STAMP) ## measure against floors taken in the same run; PARTS='bulk cpu' for some of it
	@$(PIP) --no-deps --require-hashes --requirement requirements/bench.txt
	@$(BIN)/python -m benchmarks $(PARTS)

BUILD_REQUIRES := $(BIN)/python -c 'import tomllib; \
	print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")'
lock: $(STAMP) ## renew requirements/: the newest versions that pyproject.toml allows
	$(COMPILE) --extra embedded --extra dev --output-file requirements/dev.txt
	$(COMPILE) --extra bench --constraints requirements/dev.txt --output-file requirements/bench.txt
	$(COMPILE) --extra release --constraints requirements/dev.txt --output-file requirements/release.txt
	$(COMPILE) --constraints requirements/dev.txt --output-file requirements/runtime.txt
	$(BUILD_REQUIRES) | $(COMPILE:pyproject.toml=-) --constraints requirements/dev.txt --output-file requirements/build.txt

build: $(STAMP) ## the wheel and the source distribution, in dist/
	$(BIN)/hatchling build --clean

# Tools of their own versions, which nothing else needs.
RELEASE := $(VENV)-release
$(RELEASE)/.installed: requirements/release.txt $(STAMP)
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(RELEASE)
	$(BIN)/uv pip install --quiet --python $(RELEASE) --no-deps --require-hashes --requirement requirements/release.txt
	@touch $@

release-check: build $(RELEASE)/.installed ## what a wheel and a source distribution must pass before they are published
	$(RELEASE)/bin/twine check --strict dist/*
	$(RELEASE)/bin/pyroma --min 10 dist/*.tar.gz
	$(BIN)/hatchling build --directory build/again
	@for file in dist/*; do cmp "$$file" "build/again/$${file##*/}" || exit 1; done && echo "A second build is the same."
	@rm -rf build/again

# As an operator gets it: the wheel with the locked versions, on this platform.
sbom: build $(RELEASE)/.installed ## what an installation consists of, as CycloneDX, in build/
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)-runtime
	$(BIN)/uv pip install --quiet --python $(VENV)-runtime --no-deps --require-hashes --requirement requirements/runtime.txt
	$(BIN)/uv pip install --quiet --python $(VENV)-runtime --no-deps dist/*.whl
	@mkdir -p build
	$(RELEASE)/bin/cyclonedx-py environment --pyproject pyproject.toml --mc-type application --output-reproducible \
		--output-file build/pattern-sync.cdx.json $(VENV)-runtime

clean: ## remove everything that make has made
	rm -rf $(VENV) $(VENV)-* $(PAGE)/node_modules dist build .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis
