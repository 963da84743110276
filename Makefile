# `make demo` and `make test` need git, make, Python 3.11 or later with venv, and a package index: nothing else.
# All they install stands in .venv; `make clean` removes it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# A path inherited from the caller could put another reconciler before the wheel under test.
unexport PYTHONPATH PYTHONHOME

NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c '$(NEW_ENOUGH)' 2>/dev/null && echo "$$python" && break; done)

VENV := .venv
BIN := $(VENV)/bin
IN_VENV = PATH="$(abspath $(BIN)):$$PATH"

# Stamps are named by what they were made from, not dated: a branch switch, a deleted file and another Python all count.
digest = $(shell { $(1); } 2>/dev/null | sha256sum | cut -c1-16)
TOOLS := $(VENV)/.tools-$(call digest,$(PYTHON) -VV; cat requirements/dev.txt)
WHEEL := $(VENV)/.wheel-$(call digest,find -L reconciler pyproject.toml README.md LICENSE -type f \
	-not -path '*/__pycache__/*' | LC_ALL=C sort | tr '\n' '\0' | xargs -0 sha256sum)

.PHONY: help test lint demo bench install lock clean
.DEFAULT_GOAL := help

help: ## List these targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

test: lint $(WHEEL) ## Check style and types, then run every test against the installed wheel (ARGS="-k cron")
	$(IN_VENV) TEST_INSTALLED=1 pytest -n 2 $(ARGS)

lint: $(TOOLS) ## Check style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

demo: $(WHEEL) ## Show the main job in a temporary repository (KEEP=1 leaves it running)
	$(IN_VENV) python demo/demo.py $(if $(filter-out 0,$(KEEP)),--keep)

bench: $(WHEEL) ## Measure speed: medians and ratios
	@for each in throughput lateness scale versions; do $(IN_VENV) python benchmarks/$$each.py; done

install: $(WHEEL) ## Make .venv with the tools and procctl

lock: ## Write requirements/dev.txt anew from pyproject.toml and requirements/dev.in (needs uv)
	uv pip compile pyproject.toml requirements/dev.in --output-file requirements/dev.txt --upgrade --quiet \
		--universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

clean: ## Remove .venv, caches and builds
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(TOOLS):
	@[ -n "$(PYTHON)" ] || { echo >&2 "make: no Python 3.11 or later found; install one, or name it: make PYTHON=…"; exit 1; }
	@$(PYTHON) -c '$(NEW_ENOUGH)' || { echo >&2 "make: $(PYTHON) is no Python 3.11 or later; name another: make PYTHON=…"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo >&2 "make: $(PYTHON) cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/dev.txt
	@touch $@

$(WHEEL): $(TOOLS)
	@rm -rf $(VENV)/wheel $(VENV)/.wheel-*
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir $(VENV)/wheel .
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall $(VENV)/wheel/*.whl
	@touch $@
