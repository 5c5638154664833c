.PHONY: help demo test lint lock system up down

help:
	@echo "make demo   set everything up and run podcap's main job in the lab"
	@echo "make test   set everything up and run every check and test"
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

up: system .venv/made
	@.venv/bin/python -m deploy.lab up

down: .venv/made
	@.venv/bin/python -m deploy.lab down

lock: .venv/made
	deploy/lock
