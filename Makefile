.PHONY: help demo test lint suite bench soak lock system up down

# Where the environment forbids Python to keep what it compiled, each of some thousand processes would compile
# podcap anew.
unexport PYTHONDONTWRITEBYTECODE

help:
	@echo "make demo   set everything up and run podcap's main job in the lab"
	@echo "make test   set everything up and run every check and test"
	@echo "make bench  measure what podcap promises; fails when a target is not kept"
	@echo "make soak   the tests that take long: every fault in full, many examples of each property"
	@echo "make up     start the lab (as root); make down ends it"
	@echo "make lock   resolve the dependencies anew"

system:
	@deploy/system-packages

.venv/made: requirements-dev.lock pyproject.toml | system
	@deploy/virtual-environment

# podcap itself, of which what reads packets is compiled (deploy/compiled.py), anew where it has changed.
.venv/compiled: .venv/made deploy/compiled.py $(wildcard workers/summary/*/*.py)
	@deploy/install-in-place
	@touch $@

demo: system .venv/compiled
	@.venv/bin/python -m deploy.lab.demo

# Types are checked while the other core compiles.
test: system .venv/made
	@$(MAKE) --no-print-directory --jobs=2 --keep-going lint suite

# Collected once before, so that its processes find compiled what each would compile for itself; what is wrong
# there is said by the second.
suite: .venv/compiled
	@.venv/bin/python -m pytest --numprocesses=0 --collect-only -qq >/dev/null || true
	.venv/bin/python -m pytest

lint: .venv/made
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: system .venv/compiled
	.venv/bin/python -m tests.bench

soak: system .venv/compiled
	.venv/bin/python -m pytest --numprocesses=0 --log-cli-level=INFO -m "soak or not soak" tests/soak
	.venv/bin/python -m pytest --numprocesses=0 --log-cli-level=INFO -m soak tests
	EXAMPLES_TIMES=10 .venv/bin/python -m pytest -m "hypothesis and not soak" tests

up: system .venv/compiled
	@.venv/bin/python -m deploy.lab up

down: .venv/made
	@.venv/bin/python -m deploy.lab down

lock: .venv/made
	deploy/lock
