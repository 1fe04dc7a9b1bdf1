# make demo   simulate, train, pick and evaluate in a Scipion project; CPU, ten minutes
# make test   ruff, mypy, vermin, the site, and every test, those with real Scipion projects too
# make lint   ruff, mypy and vermin alone
# make docs   the documentation as a site, in site/
# make fuzz   damaged files for every reader, for an hour [FUZZ_SECONDS=3600]
# make gpu-check   the GPU's tests, and what it makes of picking and learning
#                  [GPU_CHECK=folder]; needs a CUDA build of torch: PIP_FLAGS, below
# make test-old-scipion   the plugin in a Scipion of old Python, the engine beside it
# make test-other-pythons   the engine's unit tests on Python 3.13, or on those that
#                  PYTHONS names; with torch if TORCH says what pip is to install for it
# make readers   an environment with other programs' readers, which 'make test' then asks
# make screenshots   click through the tutorial in Scipion's window, and photograph it
#                    [PROJECT=name] and the newest demo's project; on a small screen, to
#                    see that all fits: python docs/make_tutorial.py --screen 1280x800
#
# Each makes the environment $(VENV) itself. PYTHON=/path/to/python3.11 chooses the
# Python it is made of, PIP_FLAGS='...' goes to pip (another index, a CUDA build).

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test lint docs screenshots environment readers fuzz gpu-check \
	test-old-scipion test-other-pythons

VENV ?= .venv
PIP_FLAGS ?=
DEMO ?= demo
FUZZ_SECONDS ?= 3600
GPU_CHECK ?= gpu_check
BIN := $(abspath $(VENV))/bin
READY := $(VENV)/.etpicker-ready
TOOLS := scipion-app scipion-em-reliontomo pytest pytest-cov pytest-xdist ruff mypy vermin setuptools \
	mkdocs-material zarr
# They need another NumPy than Scipion, hence an environment of their own; of copick's
# many dependencies only those that reading picks takes.
READERS := copick==1.31.0 dynamotable==0.3.0 imodmodel==0.1.0 starfile==0.5.13
READERS_NEED := deprecated fsspec mrcfile numcodecs==0.15.2 numpy pandas psutil pydantic rich \
	scipy tifffile zarr==2.18.7
READERS_READY := .venv-readers/.etpicker-ready
GOAL := $(firstword $(MAKECMDGOALS) demo)

# The first Python that can run Scipion; a command that starts nothing is passed over.
CANDIDATES := python3.11 python3.12 python3 python
ifndef PYTHON
PYTHON := $(shell for p in $(CANDIDATES); do \
	$$p .ci/check_python.py >/dev/null 2>&1 && command -v $$p && break; done)
ifeq ($(PYTHON),)
PYTHON := python3
endif
endif

# Scipion starts its jobs as 'python3' from the PATH.
export PATH := $(BIN):$(PATH)
export VIRTUAL_ENV := $(abspath $(VENV))

help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile

demo: $(READY)
	@$(BIN)/python -m etpicker_plugin.demo --out $(DEMO)

test: lint docs
	$(BIN)/python -m pytest -n 2 --dist loadfile --durations=15

test-old-scipion: $(READY)
	PYTHON=$(BIN)/python .ci/test_old_scipion

test-other-pythons:
	TORCH='$(TORCH)' .ci/other_pythons $(PYTHONS)

fuzz: $(READY)
	FUZZ_SECONDS=$(FUZZ_SECONDS) $(BIN)/python -m pytest -q tests/fuzz

gpu-check: $(READY)
	$(BIN)/python benchmarks/gpu_check.py $(GPU_CHECK)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/vermin --quiet --no-tips --violations --target=3.8- \
		$$($(BIN)/python .ci/scipion_side.py)
	$(BIN)/vermin --quiet --no-tips --violations --target=3.10- etpicker_plugin

docs: $(READY)
	NO_MKDOCS_2_WARNING=pinned $(BIN)/mkdocs build --strict --quiet

screenshots: $(READY)
	$(BIN)/python docs/make_tutorial.py
	@newest=$$(ls $(DEMO)/run_*/scipion.sh 2>/dev/null | tail -1); \
	[ -n "$$newest" ] || { echo "There is no demo: its pictures stay"; exit 0; }; \
	source "$$newest" && \
	$(BIN)/python docs/make_screenshots.py $${PROJECT:-$$ETPICKER_DEMO_PROJECT}

environment: $(READY)

readers: $(READERS_READY)

$(READERS_READY): Makefile
	@echo "Making the environment .venv-readers; a few minutes"
	@[ -e .venv-readers ] || $(PYTHON) -m venv .venv-readers
	.venv-readers/bin/python -m pip install $(PIP_FLAGS) -q $(READERS_NEED)
	.venv-readers/bin/python -m pip install $(PIP_FLAGS) -q --no-deps $(READERS)
	@touch $@

$(READY): constraints.txt setup.py .ci/check_python.py
	@command -v $(PYTHON) >/dev/null || \
		{ echo "PYTHON=$(PYTHON): no such program. Install Python 3.11, or name one:" \
		"make $(GOAL) PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) .ci/check_python.py $(GOAL)
	@if [ -e $(VENV) ] && ! $(BIN)/python .ci/check_python.py $(GOAL); then \
		echo "The environment $(VENV) cannot be used. Remove it and try again:" \
		"rm -r $(VENV)" >&2; exit 1; fi
	@echo "Making the environment $(VENV) with $$($(PYTHON) --version); a few minutes"
	@[ -e $(VENV) ] || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $(PIP_FLAGS) -c constraints.txt -e '.[engine,maps]' $(TOOLS)
	$(BIN)/python -m pip check
	@touch $(READY)
