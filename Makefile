# What a newcomer needs: `make demo` and `make test`. Both make the virtual environment first, unless it is there.
#
#   make test PYTHON=python3.12 VENV=.venv-3.12     another interpreter, beside the usual environment
#   make pytest PYTEST_ARGS="-n 0 -k restart"       some of the tests, in one process
#   STIGMER_PORT=9000 make demo                     another port for the example

VENV ?= .venv
# With PYTHON unset, the newest of these that is new enough and able to make a virtual environment.
PYTHONS := $(if $(PYTHON),$(PYTHON),python3.13 python3.12 python3.11 python3)
# Most of a test with real processes is waiting, so three of them share a core.
PYTEST_ARGS ?= -n $(shell echo $$((3 * $$(nproc 2>/dev/null || echo 2))))
SEEDS ?= 10000
KILLS ?= 100
MINUTES ?= 60
HOURS ?= 24
COMPONENTS ?= 200
FIRST ?= 100000
FILES ?= 100000
# How much more than `make test` the other parts of `make fuzz` try, and seconds of the part that follows coverage.
EFFORT ?= 50
GUIDED ?= 120

PY := $(VENV)/bin/python
STIGMER := $(VENV)/bin/stigmer-pm -f stigmer.yaml.example
# Stamps: what a target needs is installed when its stamp is newer than what names it.
MADE := $(VENV)/.made
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev
INSTALLED_FROM := pyproject.toml stigmer_pm/version.py

.DEFAULT_GOAL := help
.PHONY: help demo down test check lint types imports pytest test-systemd test-long format docs schema soak fuzz soak-day soak-real chaos mutants bench bench-probes bench-deaths bench-containers hooks clean
.NOTPARALLEL:

help:  ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(INSTALLED)  ## run the Stigmer stack of stigmer.yaml.example
	@$(STIGMER) up
	@$(STIGMER) ps
	@echo
	@echo "It runs until you end it. Look on with:"
	@echo "  $(STIGMER) logs --follow"
	@echo "  $(STIGMER) restart workflow-runner"
	@echo "  $(STIGMER) down"

down: $(INSTALLED)  ## end what demo has started
	@$(STIGMER) down

test: lint types imports pytest  ## all that must pass: lint, types, imports, tests

check: lint types imports  ## test without the tests

lint: $(INSTALLED_DEV)  ## ruff: lint and format
	$(PY) -m ruff check
	$(PY) -m ruff format --check

types: $(INSTALLED_DEV)  ## mypy, strict
	$(PY) -m mypy

imports: $(INSTALLED_DEV)  ## import-linter: the direction of imports
	$(VENV)/bin/lint-imports

pytest: $(INSTALLED_DEV)  ## the tests
	$(PY) -m pytest $(PYTEST_ARGS)

test-systemd: $(INSTALLED_DEV)  ## the unit of startup under a systemd that is booted for it; as root, half a minute
	STIGMER_PM_TEST_SYSTEMD=1 $(PY) -m pytest -n 0 tests/systemd

test-long: $(INSTALLED_DEV)  ## what is left out of test for its length: a supervisor that is suspended for a minute
	STIGMER_PM_TEST_LONG=1 $(PY) -m pytest -n 0 tests/integration/test_suspended.py

format: $(INSTALLED_DEV)  ## rewrite the code as lint wants it
	$(PY) -m ruff check --fix
	$(PY) -m ruff format

docs: $(INSTALLED_DEV)  ## write docs/reference/ from the program
	$(PY) -m tools.reference
	$(PY) -m tools.phases

soak: $(INSTALLED_DEV)  ## SEEDS=10000 histories of the simulation, from FIRST=100000 on
	$(PY) -m tests.simulation --seeds $(SEEDS) --first $(FIRST)

chaos: $(INSTALLED_DEV)  ## KILLS=100 supervisors killed over COMPONENTS=200 that die without end; five minutes
	$(PY) -m tests.chaos --kills $(KILLS) --components $(COMPONENTS)

soak-day: $(INSTALLED_DEV)  ## 24 simulated HOURS of COMPONENTS=200 that flap, with a real database; five minutes
	$(PY) -m tests.simulation.day --hours $(HOURS) --components $(COMPONENTS)

soak-real: $(INSTALLED_DEV)  ## MINUTES=60 of COMPONENTS=200 that flap: memory, descriptors and database don't grow
	$(PY) -m tests.chaos.soak --minutes $(MINUTES) --components $(COMPONENTS)

fuzz: $(INSTALLED_DEV)  ## FILES=100000 hostile files, and as many requests, texts and bytes; half an hour
	$(PY) -m tests.fuzz --files $(FILES)
	$(PY) -m tests.fuzz.guided $(GUIDED)
	STIGMER_PM_FUZZ=$(EFFORT) $(PY) -m pytest -n $(shell nproc) --timeout 3600 tests/fuzz

mutants: $(INSTALLED_DEV)  ## break the core in small ways, and see whether the tests notice; two minutes
	$(PY) -m tools.mutants

bench: $(INSTALLED)  ## what the main job costs, beside plain ways of doing it
	$(PY) -m benchmarks.basics

bench-probes: $(INSTALLED)  ## what a thousand liveness probes cost, and whether they come on time
	$(PY) -m benchmarks.probes

bench-deaths: $(INSTALLED)  ## how long it takes until a thousand that are killed at once are back
	$(PY) -m benchmarks.deaths

bench-containers: $(INSTALLED)  ## what up of 50 containers costs, beside a plain loop of the same calls
	$(PY) -m benchmarks.containers

schema: $(INSTALLED_DEV)  ## write schemas/ from the model and the routes
	$(PY) -m tools.schema

hooks: $(INSTALLED_DEV)  ## run lint and types before every commit
	$(PY) -m pre_commit install

clean:  ## remove what these targets have made, but for the state of projects
	rm -rf build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find stigmer_pm tests tools examples -name __pycache__ -type d -prune -exec rm -rf {} +
	@# Only what is a virtual environment: VENV may name any folder.
	if [ -f "$(VENV)/pyvenv.cfg" ]; then rm -rf "$(VENV)"; fi

# --- the virtual environment ----------------------------------------------------------------------------------------

# An environment that works is kept, whoever made it. An interpreter is tried by running it: the shims of version
# managers exist and then fail. `ensurepip` is what Debian and Ubuntu leave out of their python3, and without it an
# environment has no pip.
$(MADE):
	@set -e; chosen=; lacking=; \
	if "$(PY)" -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then touch "$@"; exit 0; fi; \
	for candidate in $(PYTHONS); do \
	    "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	    if "$$candidate" -c 'import ensurepip, venv' 2>/dev/null; then chosen=$$candidate; break; fi; \
	    lacking=$${lacking:-$$candidate}; \
	done; \
	if [ -z "$$chosen" ] && [ -n "$$lacking" ]; then \
	    echo "cannot make $(VENV): $$lacking lacks ensurepip; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; \
	elif [ -z "$$chosen" ]; then \
	    echo "cannot make $(VENV): needs Python 3.11 or later, tried $(PYTHONS);" \
	        "name one with 'make PYTHON=/path/to/python3'" >&2; exit 1; \
	fi; \
	echo "making $(VENV) with $$("$$chosen" --version)"; \
	"$$chosen" -m venv "$(VENV)"; \
	touch "$@"

# pyproject.toml names what is installed, version.py what the installed metadata says.
$(INSTALLED): $(INSTALLED_FROM) | $(MADE)
	@echo "installing stigmer-pm into $(VENV)"
	@$(PY) -m pip install --quiet --disable-pip-version-check --editable .
	@touch "$@"

$(INSTALLED_DEV): $(INSTALLED_FROM) | $(MADE)
	@echo "installing stigmer-pm and its development tools into $(VENV)"
	@$(PY) -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch "$(INSTALLED)" "$@"
