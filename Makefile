# Everything runs inside .venv, which each target makes if it is missing; the only needs are Python >= 3.11, make and git.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Without byte-code each of the thousands of processes that tests start would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test check format bench prove-deadlocks prove-metrics prove-history prove-comparison prove-comparison-full baseline nightly clean

run: $(VENV)/installed
	$(BIN)/wfrun --e2e --pattern complete

test: $(VENV)/developing
	$(BIN)/python -m pytest -m "not alone" -n 4 --dist loadfile
	$(BIN)/python -m pytest -m "alone and not long"

check: $(VENV)/developing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/developing
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Ratios against the peers named in docs/channels.md, interleaved in one run.
bench: $(VENV)/developing
	$(BIN)/python -m bench

# No deadlock missed, no false alarm: the long form of tests/acceptance/test_deadlocks.py, some minutes.
prove-deadlocks: $(VENV)/developing
	$(BIN)/python tests/acceptance/prove_deadlocks.py

# Each way of becoming slower turns the right metric red, in real sessions: some minutes.
prove-metrics: $(VENV)/developing
	$(BIN)/python -m pytest -m long

# How often a history is right about nights whose truth is known: half a minute of simulation, always the same.
prove-history: $(VENV)/developing
	$(BIN)/python tests/simulation/prove_history.py

# How often comparing two trees is wrong and how small a change it finds, counted; what is counted adds up over runs.
# The first takes minutes, the second goes on until every count is large enough: hours, stopped and continued at will.
prove-comparison: $(VENV)/proving
	$(BIN)/python -m tests.proof.comparison

prove-comparison-full: $(VENV)/proving
	$(BIN)/python -m tests.proof.comparison --full

# Records this repository's own baseline anew; commit it with the change that explains it.
baseline: $(VENV)/installed
	$(BIN)/wfrun --performance --baseline workflow-baseline.json --replace

# Measures, adds the night to the history and checks it, with one exit code: docs/nights.md has the variables.
nightly: $(VENV)/installed
	PATH="$(CURDIR)/$(BIN):$$PATH" .ci/nightly

clean:
	rm -rf $(VENV) dist build

$(VENV)/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "wfrun needs Python 3.11 or newer; say make PYTHON=python3.x")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/developing: $(VENV)/installed pyproject.toml
	$(BIN)/python -m pip install --quiet --group dev
	touch $@

$(VENV)/proving: $(VENV)/developing
	$(BIN)/python -m pip install --quiet --group proof
	touch $@
