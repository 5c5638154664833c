.PHONY: help demo test lint bench soak lock system up down

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

demo: system .venv/made
	@.venv/bin/python -m deploy.lab.demo

test: system .venv/made lint
	.venv/bin/python -m pytest

lint: .venv/made
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: system .venv/made
	.venv/bin/python -m tests.bench

soak: system .venv/made
	.venv/bin/python -m pytest --numprocesses=0 --log-cli-level=INFO -m "soak or not soak" tests/soak
	.venv/bin/python -m pytest --numprocesses=0 --log-cli-level=INFO -m soak tests
	EXAMPLES_TIMES=10 .venv/bin/python -m pytest -m "hypothesis and not soak" tests

up: system .venv/made
	@.venv/bin/python -m deploy.lab up

down: .venv/made
	@.venv/bin/python -m deploy.lab down

lock: .venv/made
	deploy/lock
