# The three things one does here. PYTHON=… chooses the interpreter, TESTS=… what `make test` runs.
PYTHON ?= python
TESTS ?= tests

.PHONY: install check fast test

install: ## the program in this folder, with what the tests need
	$(PYTHON) -m pip install -e '.[test]'

check: ## style, format and types
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

fast: ## the tests that are quick
	$(PYTHON) -m pytest -m "not browser and not slow" $(TESTS)

test: ## every test
	$(PYTHON) -m pytest $(TESTS)
