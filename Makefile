# Every task of the project is one of these targets; `make` lists them.

PYTHON ?= python3
PORT   ?= 8501
ARGS   ?=

VENV   := .venv
BIN    := $(VENV)/bin
APP    := $(VENV)/.app-installed
DEV    := $(VENV)/.dev-installed

# Those that can be run; the others are what they share.
BENCHMARKS = $(filter-out benchmarks/gpu.py,$(shell grep -l '^if __name__' benchmarks/*.py))

.DEFAULT_GOAL := help
.PHONY: help app test check format bench bench-gpu shots train lock tree clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

app: $(APP) ## serve the app on 127.0.0.1:8501 (PORT=…)
	$(BIN)/streamlit run streamlit_app.py --server.port $(PORT) $(ARGS)

test: $(DEV) ## run all tests (ARGS="-k name" for some)
	$(BIN)/python -m pytest -rsR --timeout 600 $(ARGS)

check: $(DEV) ## lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(DEV) ## put the code into its one format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(DEV) ## run every benchmark that needs no GPU
	@set -e; for script in $(BENCHMARKS); do echo "== $$script"; PYTHONPATH=. $(BIN)/python $$script $(ARGS); done

bench-gpu: $(DEV) ## train to 85 % and 90 % on the GPU, beside the course loop
	PYTHONPATH=. $(BIN)/python benchmarks/gpu.py $(ARGS)

shots: $(DEV) ## picture every page, light and dark, into shots/
	PYTHONPATH=. $(BIN)/python tests/shots.py $(ARGS)

train: $(APP) ## train without the app (ARGS="--help")
	$(BIN)/python -m core train $(ARGS)

lock: $(DEV) ## resolve requirements.txt into requirements.lock, keeping what still fits (ARGS=--upgrade)
	$(BIN)/uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 --no-header --annotation-style line $(ARGS) \
		requirements.txt --output-file requirements.lock

tree: ## write the folder tree into README.md
	$(PYTHON) tests/tree.py

clean: ## remove the environment and what tools left behind
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache shots

$(APP): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ConvScope needs Python 3.11 or newer, got %d.%d; name one: make app PYTHON=python3.12" % sys.version_info[:2])'
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@echo "Installing requirements.lock into $(VENV): a few gigabytes the first time"
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -r requirements.lock
	@touch $@

$(DEV): requirements-dev.txt $(APP)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -r requirements-dev.txt
	@touch $@
