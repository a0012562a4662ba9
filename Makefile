# make demo     set up and run the whole loop on the starter model; the studio stays open afterwards
# make studio   set up and open the studio
# make test     run the tests            make check   linters, types, import rules
# make bench    ratios against plain libraries, one table
# make setup    only set up (.venv)      make lock    renew constraints.txt
#
# TESTERS         processes that share the tests (2)
# PYTHON          which Python to build .venv with (3.11 or newer)
# TORCH_PIP_ARGS  further pip arguments for torch alone: another index or another build

PYTHON ?= python3
TORCH_PIP_ARGS ?=
TESTERS ?= 2
BIN := .venv/bin

.PHONY: setup demo studio test check bench lock

setup: .venv/.complete

.venv/.complete: pyproject.toml constraints.txt deploy/install.py
	$(PYTHON) deploy/install.py --torch-pip-args="$(TORCH_PIP_ARGS)"

demo: setup
	$(BIN)/twotrack demo

studio: setup
	$(BIN)/twotrack up

# Else each of hundreds of processes would compile the studio's modules anew.
test: export PYTHONDONTWRITEBYTECODE =
test: setup
	$(BIN)/python -m pytest -n $(TESTERS) --max-worker-restart 0 --dist loadfile --no-loadscope-reorder

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python hatch_build.py run --silent check

bench: setup
	$(BIN)/python -m benchmarks

lock:
	$(PYTHON) deploy/install.py --relock --torch-pip-args="$(TORCH_PIP_ARGS)"
