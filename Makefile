# The verbs of this checkout. Each sets up .venv by itself; a stamp file makes the second call free.
# setup demo test check bench are what a newcomer needs; the others are finer parts of them.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
VENV := .venv
PY := $(VENV)/bin/python
STAMPS := $(VENV)/.stamps
DEMO := demo-output
TASK := brain-tumor
SAMPLE := Resources/SampleData/$(TASK)
# constraints.txt was tested from Python 3.11 on; on 3.10 the open ranges of pyproject.toml decide.
CONSTRAINED = $(shell $(PY) -c 'import sys; print("-c constraints.txt" if sys.version_info >= (3, 11) else "")')
# Files of tests side by side, one a core; a process that crashes ends the run instead of being replaced.
SIDE_BY_SIDE := -n logical --maxprocesses 4 --dist loadfile --max-worker-restart 0
PIP_WORDS = $(PY) -m pip install -e
PIP_INSTALL = $(PY) -m pip install -qq --disable-pip-version-check $(CONSTRAINED)

.PHONY: help setup demo test check bench bench-interaction fmt lint types arch docs journey screenshots clean distclean system-libraries

help: ## say what the verbs do
	@echo "make setup        .venv with the library, training and all test tools"
	@echo "make demo         segment the sample study into $(DEMO)/; TASK=pancreas and so on for another task"
	@echo "make test         make check, then every test"
	@echo "make check        format, lint, types, rings"
	@echo "make bench        our engine against MONAI, torch and OpenVINO; writes docs/benchmarks.md"
	@echo "finer: bench-interaction fmt lint types arch docs journey screenshots clean distclean"

$(STAMPS)/venv:
	@sh .ci/make_venv.sh $(VENV)
	@mkdir -p $(STAMPS) && touch $@

# The plain library: enough for the demo and for every user of the shell.
$(STAMPS)/plain: pyproject.toml constraints.txt $(STAMPS)/venv
	@echo "== pip: the library"
	@$(PIP_INSTALL) -e .
	@touch $@

# The library with torch, training, real MRML and the tools of the checks.
$(STAMPS)/dev: pyproject.toml constraints.txt $(STAMPS)/venv
	@echo "== pip: the library with all extras and test tools (about 2 GB on disk)"
	@$(PIP_INSTALL) -e '.[dev]'
	@touch $@ $(STAMPS)/plain

system-libraries: $(STAMPS)/dev
	@$(PY) .ci/system_libraries.py

setup: $(STAMPS)/dev system-libraries ## everything, once
	@echo "== ready: $(VENV)/bin/medsegai --help"

demo: $(STAMPS)/plain ## segment the sample study of TASK
	@echo "== medsegai segment --task $(TASK) --study $(SAMPLE) --output $(DEMO) --overwrite"
	@$(VENV)/bin/medsegai segment --task $(TASK) --study $(SAMPLE) --output $(DEMO) --overwrite
	@echo "== picture: $(DEMO)/overlay.png   all files: $(DEMO)/"
	@echo "== in a browser: $(PIP_WORDS) '.[web]' && $(VENV)/bin/medsegai view $(DEMO) --study $(SAMPLE)"

fmt: $(STAMPS)/dev ## bring every file into format
	@$(PY) -m ruff format . && $(PY) -m ruff check --fix .

lint: $(STAMPS)/dev
	@echo "== ruff: format" && $(PY) -m ruff format --check .
	@echo "== ruff: lint" && $(PY) -m ruff check .

types: $(STAMPS)/dev
	@echo "== mypy --strict" && $(PY) -m mypy

arch: $(STAMPS)/dev
	@echo "== import-linter: rings" && PYTHONPATH=MedSegAI $(VENV)/bin/lint-imports

check: lint types arch ## format, lint, types, rings

test: check system-libraries ## check, then every test
	@echo "== pytest" && $(PY) -m pytest $(SIDE_BY_SIDE)

docs: $(STAMPS)/dev ## the pages that are made from the source
	@$(PY) Testing/makers/write_errors_page.py && echo "== docs/reference/errors.md"
	@$(PY) Testing/makers/write_networks_page.py && echo "== docs/reference/networks.md"

journey: $(STAMPS)/dev
	@$(PY) -m pytest Testing/journey

bench: $(STAMPS)/dev ## engines side by side
	@$(PY) Testing/benchmarks/bench.py

bench-interaction: $(STAMPS)/dev ## clicks of a simulated reader; writes docs/benchmarks/interaction.md
	@$(PY) Testing/benchmarks/interaction_speed.py
	@$(PY) Testing/benchmarks/interaction.py

screenshots: demo $(STAMPS)/dev ## the pictures of README.md and of the tutorials, from real views
	@mkdir -p Resources/Screenshots && cp $(DEMO)/overlay.png Resources/Screenshots/brain-tumor.png
	@echo "== Resources/Screenshots/brain-tumor.png"
	@PYTHONPATH=MedSegAI:. $(PY) -m Testing.harness.viewer_pictures

clean: ## remove what the verbs wrote, keep .venv
	@rm -rf $(DEMO) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .cache

distclean: clean
	@rm -rf $(VENV)
