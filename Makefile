# Every target does the set-up that it needs, when that is missing or stale. `make help` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
# the first that runs: a shim of pyenv may be on PATH for a version that is not installed
runs = $(shell for name in $(1); do $$name -c "import sys; print(sys.executable)" 2>/dev/null && break; done)
PYTHON ?= $(call runs,python3.11 python3.12)
PYTHON312 ?= $(call runs,python3.12 $(wildcard $(or $(PYENV_ROOT),$(HOME)/.pyenv)/versions/3.12.*/bin/python3.12))
PIP := -m pip --disable-pip-version-check --quiet --quiet
bin := .venv/bin
# the tests without TensorFlow, which run on Python 3.12 too; those of the documents import training
serving := tests/unit tests/contract tests/conformance tests/integration tests/template --ignore tests/contract/test_docs.py

.PHONY: help setup demo up test check lint format type build bench-cascade bench-audit bench-demo bench-warm bench-data bench-memory bench-fuzz clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: .venv/.stamp  ## install what Weir needs into .venv

demo: .venv/.stamp  ## train, quantize, publish, serve, predict and answer a batch file on real digits; print a table
	$(bin)/weir demo

up: .venv/.stamp  ## run the same system until Ctrl-C; print its URL and curl lines
	$(bin)/weir up

test: .venv/.stamp lint type  ## run every test that needs nothing but Python 3.11
	$(bin)/pytest -n 2 --dist loadfile -m "not check" --cov --cov-report=term
	@echo "Left to make check: what needs Python 3.12, SAM, containers or a browser (tests/check, and the serving tests on Python 3.12)."

check: .venv/.browser .venv-sam/.stamp .venv312/.stamp .venv-kserve/.stamp .venv-mlserver/.stamp  ## run the tests that need Python 3.12, SAM, containers or a browser
	.venv312/bin/pytest -q -n 2 --dist loadfile -m "not check" $(serving)
	$(bin)/pytest -m check -v --capture=no tests/check

lint: .venv/.stamp  ## check style, formatting and the imports between packages
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/lint-imports

format: .venv/.stamp  ## format the code
	$(bin)/ruff format
	$(bin)/ruff check --fix

type: .venv/.stamp  ## check the types
	$(bin)/mypy

bench-cascade: .venv/.stamp  ## compare cascade, hierarchy and end-to-end on Fashion-MNIST (first trains for over an hour if nothing is trained yet)
	@$(bin)/python -m benchmarks.cascade

bench-audit: .venv/.stamp  ## certify on many resamples of digits, and of Fashion-MNIST if it is installed; count broken promises (trains what is missing)
	@$(bin)/python -m benchmarks.audit

bench-demo: .venv/.stamp  ## train the demo's tasks with ten seeds, idle and under load; count savings, broken promises and equal choices
	@$(bin)/python -m benchmarks.demo

bench-warm: .venv/.stamp  ## compare a warm request with a handwritten handler (first trains the demo's model if there is none)
	@$(bin)/python -m benchmarks.warm

bench-data: .venv/.benchmarks  ## train six real data sets of packages, and compare end-to-end, cascade and scikit-learn (first trains for about an hour)
	@$(bin)/python -m benchmarks.data

bench-memory: .venv/.stamp  ## train on 1 and 4 GiB of pictures and of rows of a table, made on the spot; print the peaks of memory
	@$(bin)/python -m benchmarks.memory

bench-fuzz: .venv/.stamp  ## send 100,000 mutated requests to the handlers, and check statuses, time and memory
	@$(bin)/python -m benchmarks.fuzz

build: .venv-sam/.stamp  ## build the functions and layers as sam deploy would send them
	PATH="$(dir $(PYTHON312)):$$PATH" .venv-sam/bin/sam build

clean:  ## remove what was installed and built
	rm -rf .venv .venv312 .venv-sam .venv-kserve .venv-mlserver build .aws-sam *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*

.venv/.stamp: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Weir needs Python 3.11 or 3.12, with venv and pip. Got: neither python3.11 nor python3.12 that runs" >&2; exit 2; }
	@echo "installing into .venv (about two minutes the first time) …"
	@rm -f $@ && $(PYTHON) -m venv --clear .venv
	@$(bin)/python $(PIP) install --constraint constraints.txt --editable '.[training,local,dev]'
	@touch $@

.venv/.browser: .venv/.stamp
	@echo "installing what drives a browser into .venv …"
	@$(bin)/python $(PIP) install --constraint constraints.txt --editable '.[browser]'
	@touch $@

.venv/.benchmarks: .venv/.stamp
	@echo "installing data sets of benchmarks into .venv …"
	@$(bin)/python $(PIP) install --constraint constraints.txt --editable '.[benchmarks]'
	@touch $@

.venv312/.stamp: pyproject.toml constraints.txt
	$(need312)
	@echo "installing what serving needs on Python 3.12 into .venv312 …"
	@rm -f $@ && $(PYTHON312) -m venv --clear .venv312 && echo '*' >.venv312/.gitignore
	@.venv312/bin/python $(PIP) install --constraint constraints.txt --editable '.[local,dev]' mlxtend
	@touch $@

.venv-sam/.stamp: constraints-sam.txt
	$(need312)
	@echo "installing the SAM CLI into .venv-sam …"
	@rm -f $@ && $(PYTHON312) -m venv --clear .venv-sam
	@.venv-sam/bin/python $(PIP) install --constraint constraints-sam.txt aws-sam-cli cfn-lint
	@touch $@

.venv-kserve/.stamp: constraints-kserve.txt
	$(need312)
	@echo "installing KServe's client into .venv-kserve …"
	@rm -f $@ && $(PYTHON312) -m venv --clear .venv-kserve
	@.venv-kserve/bin/python $(PIP) install --constraint constraints-kserve.txt kserve
	@touch $@

.venv-mlserver/.stamp: constraints-mlserver.txt
	$(need312)
	@echo "installing MLServer's client into .venv-mlserver …"
	@rm -f $@ && $(PYTHON312) -m venv --clear .venv-mlserver
	@.venv-mlserver/bin/python $(PIP) install --constraint constraints-mlserver.txt mlserver
	@touch $@

define need312
@test -n "$(PYTHON312)" || { echo "make check and make build need Python 3.12, on PATH or pyenv's. Got: none that runs" >&2; exit 2; }
endef
