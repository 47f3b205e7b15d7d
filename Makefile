# Everything that a person or a machine does with this project; each target sets up what it needs.
PYTHON ?= python3
BIN := .venv/bin
DATA ?=

.PHONY: demo test test-all lint bench examples coverage clean

demo: .venv/demo
	$(BIN)/python examples/demo.py

test: .venv/dev
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto --dist loadscope

test-all: .venv/dev .venv/train .venv/backbones
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto --dist loadscope -m ""

lint: .venv/dev
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

bench: .venv/bench
	$(BIN)/python bench/run.py $(if $(DATA),--data $(DATA))

examples: .venv/dev .venv/train
	for page in examples/[0-9]*.py; do $(BIN)/python $$page docs/examples || exit 1; done

coverage: .venv/dev
	$(BIN)/python bench/interval_coverage.py

clean:
	rm -rf .venv demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("assay needs Python 3.11 or newer, got " + sys.version.split()[0] + ": name one with make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv

.venv/%: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[$*]'
	touch $@
