# What one does here. PYTHON=… chooses the interpreter, TESTS=… what `make test` runs.
PYTHON ?= python
TESTS ?= tests

.PHONY: install check fast test lock audit

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

lock: ## requirements.lock anew: the newest that the ranges allow, with hashes
	tools=$$(mktemp -d) && $(PYTHON) -m pip install -q --target $$tools uv && PYTHONPATH=$$tools $(PYTHON) -m uv pip compile \
	  -q --upgrade --universal --generate-hashes --no-annotate --custom-compile-command "make lock" \
	  --python-version 3.11 pyproject.toml -o requirements.lock && rm -r $$tools

audit: ## known vulnerabilities of what requirements.lock names
	PYTHON=$(PYTHON) .ci/audit
