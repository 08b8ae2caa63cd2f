# Picturelock: `make help` lists every target.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
AT_ONCE := -n 3 --no-loadscope-reorder
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -q

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^##@ /{printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.python:
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: requirements/local.lock pyproject.toml | $(VENV)/.python
	$(PIP) install --only-binary :all: --require-hashes -r requirements/local.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: requirements/dev.lock $(VENV)/.installed
	$(PIP) install --only-binary :all: --require-hashes -r requirements/dev.lock
	@touch $@

$(VENV)/.installed-mutants: requirements/mutants.lock $(VENV)/.installed-dev
	$(PIP) install --only-binary :all: --require-hashes -r requirements/mutants.lock
	@touch $@

$(VENV)/.installed-bench: requirements/bench.lock $(VENV)/.installed-dev
	$(PIP) install --only-binary :all: --require-hashes -r requirements/bench.lock
	@touch $@

.moviepy-venv/.installed: requirements/moviepy.lock
	$(PYTHON) -m venv .moviepy-venv
	.moviepy-venv/bin/python -m pip --disable-pip-version-check --no-input -q install --only-binary :all: --require-hashes -r requirements/moviepy.lock
	@touch $@

.sbom-venv/.installed: requirements/sbom.lock
	$(PYTHON) -m venv .sbom-venv
	.sbom-venv/bin/python -m pip --disable-pip-version-check --no-input -q install --only-binary :all: --require-hashes -r requirements/sbom.lock
	@touch $@

.site-venv/.installed: requirements/site.lock
	$(PYTHON) -m venv .site-venv
	.site-venv/bin/python -m pip --disable-pip-version-check --no-input -q install --only-binary :all: --require-hashes -r requirements/site.lock
	@touch $@

.openapi-venv/.installed: requirements/openapi.lock
	$(PYTHON) -m venv .openapi-venv
	.openapi-venv/bin/python -m pip --disable-pip-version-check --no-input -q install --only-binary :all: --require-hashes -r requirements/openapi.lock
	@touch $@

##@ Use it

.PHONY: install
install: $(VENV)/.installed ## Install everything that exporting needs into .venv

.PHONY: export
export: install ## Export examples/tides.md to tides.mp4, with the whole stack started and stopped
	$(BIN)/picturelock export examples/tides.md --output tides.mp4

.PHONY: up
up: install ## Run Temporal, worker and API until Ctrl-C
	$(BIN)/picturelock up

##@ Work on it

.PHONY: install-dev
install-dev: $(VENV)/.installed-dev ## Install what the tests and checks need as well

.PHONY: lint
lint: install-dev ## Style, spelling, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: install-dev ## Put the code into the house's form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: unit
unit: install-dev ## The quick tests: domain, workflow, activities
	$(BIN)/pytest -m "not slow" $(AT_ONCE)

.PHONY: chromium
chromium:
	@scripts/install-chromium

.PHONY: node
node:
	@scripts/install-node

.PHONY: test-tools
test-tools: chromium node .openapi-venv/.installed

.PHONY: test
test: install-dev test-tools ## All tests, with real Temporal, FFmpeg and voice, and how much of the product they reach
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(AT_ONCE)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

##@ Prove it

.PHONY: test-security
test-security: install-dev ## Attack a running installation: files, addresses, keys, owners, quotas (3 minutes)
	ALONE_ON_THIS_MACHINE=1 $(BIN)/pytest tests/security

.PHONY: matrix
matrix: ## All tests in a fresh clone on each Python (PYTHONS="python3.11 python3.12 python3.13")
	scripts/matrix $(PYTHONS)

.PHONY: mutants
mutants: $(VENV)/.installed-mutants ## Break the product on purpose and tell what no test has seen (1 hour)
	$(BIN)/python -m scripts.mutants
	$(BIN)/python -m scripts.mutants.pure

.PHONY: goldens
goldens: install-dev ## Draw the golden frames again and write goldens.png, a sheet of them to look at
	$(BIN)/python -m scripts.goldens --sheet goldens.png

.PHONY: histories
histories: install-dev ## Record the histories that the replay test replays
	$(BIN)/python -m scripts.record_histories

.PHONY: chaos
chaos: install-dev ## Random actions and faults by seed against the real stack, 300 jobs (1 hour)
	$(BIN)/python -m scripts.chaos --seeds 20 --rounds 5

.PHONY: faults
faults: install-dev ## Hit every component with every signal in every stage: the matrix of docs/faults.md (25 minutes)
	$(BIN)/python -m scripts.faults

##@ Measure it

.PHONY: bench
bench: install-dev .moviepy-venv/.installed ## Measure whole exports against hand-written ffmpeg, MoviePy and the encoder alone (30 minutes)
	$(BIN)/python -m benchmarks.speed

.PHONY: bench-stream
bench-stream: install-dev ## Measure how soon viewers know, with up to ten thousand of them (5 minutes)
	$(BIN)/python -m benchmarks.stream

.PHONY: bench-quality
bench-quality: $(VENV)/.installed-bench ## Measure every quality of the film beside its bar, with a speech recogniser (15 minutes)
	$(BIN)/python -m benchmarks.quality --keep .picturelock/quality

##@ Keep it

.PHONY: lock
lock: ## Resolve the dependencies again and write the lock files (no index in them)
	$(PYTHON) -m venv .lock-venv && .lock-venv/bin/python -m pip -q install uv
	mkdir -p requirements
	.lock-venv/bin/uv pip compile pyproject.toml requirements/build.in --extra local --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header -q -o requirements/local.lock
	.lock-venv/bin/uv pip compile pyproject.toml requirements/build.in --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header -q -c requirements/local.lock -o requirements/dev.lock
	.lock-venv/bin/uv pip compile pyproject.toml requirements/build.in --extra bench --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header -q -c requirements/dev.lock -o requirements/bench.lock
	.lock-venv/bin/uv pip compile pyproject.toml requirements/build.in --extra mutants --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header -q -c requirements/dev.lock -o requirements/mutants.lock
	echo "moviepy==2.2.1" | .lock-venv/bin/uv pip compile - --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header -q -o requirements/moviepy.lock
	echo "cyclonedx-bom==7.5.0" | .lock-venv/bin/uv pip compile - --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header -q -o requirements/sbom.lock
	echo "mkdocs==1.6.1" | .lock-venv/bin/uv pip compile - --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header -q -o requirements/site.lock
	echo "openapi-python-client==0.29.1" | .lock-venv/bin/uv pip compile - --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header -q -o requirements/openapi.lock
	rm -r .lock-venv

.PHONY: site
site: .site-venv/.installed ## Build the documentation into site/
	.site-venv/bin/mkdocs build --quiet

.PHONY: sbom
sbom: .sbom-venv/.installed install ## Write sbom.json, a CycloneDX list of everything that is installed
	.sbom-venv/bin/cyclonedx-py environment $(BIN)/python --output-reproducible -o sbom.json

.PHONY: clean
clean: ## Remove .venv, the data folder and caches
	rm -rf $(VENV) .moviepy-venv .sbom-venv sbom.json .picturelock .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist *.egg-info
