# Each target sets up all that it needs; a second run starts in seconds.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# Processes share the cores; each computes on one.
PARALLEL := OMP_NUM_THREADS=1

.PHONY: demo test bench fuzz pictures lint clean help

help:
	@echo "make demo   segment a generated patient and show where the result is"
	@echo "make test   ruff, mypy, import contracts, tests with coverage"
	@echo "make bench  speed and memory as ratios against nnUNetv2_predict (long)"
	@echo "make fuzz   10,000 mutated files through the readers"

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "$(PYTHON) is not Python 3.10 to 3.13; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "No virtual environment could be made; on Debian and Ubuntu: apt install python3-venv"; exit 1; }

$(VENV)/.installed-demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing into $(VENV): some minutes the first time"
	$(PIP) --editable '.[fast,web]'
	@touch $@

$(VENV)/.installed-test: pyproject.toml constraints.txt Testing/peers/requirements.txt | $(VENV)/bin/python
	@echo "Installing into $(VENV): some minutes the first time"
	$(PIP) --editable '.[fast,web,train,dicom,register,server,test]'
	$(PIP) --no-deps --requirement Testing/peers/requirements.txt
	@touch $@ $(VENV)/.installed-demo

demo: $(VENV)/.installed-demo
	@# The review page is served on a terminal only: nobody could end it elsewhere.
	$(BIN)/hntargetseg demo $$([ -t 1 ] || echo --no-serve)

test: lint
	$(BIN)/python Testing/system_packages.py
	$(BIN)/coverage erase
	$(PARALLEL) $(BIN)/coverage run -m pytest -m 'not slow' --numprocesses logical --maxprocesses 4 --dist loadfile
	$(BIN)/coverage run -m Testing.slicerhost
	$(BIN)/coverage run -m pytest Testing/browser
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=HNTargetSeg $(BIN)/lint-imports

bench: $(VENV)/.installed-test
	$(BIN)/python -m Testing.benchmarks
	$(BIN)/python -m pytest -m slow

fuzz: $(VENV)/.installed-test
	$(BIN)/python Testing/fuzz/fuzz_readers.py --count 10000 --seed 0

pictures: $(VENV)/.installed-test
	$(BIN)/python -m Testing.pictures.make_pictures
	$(BIN)/python -m Testing.pictures.module_picture
	$(BIN)/python -m Testing.pictures.review_pictures

clean:
	rm -rf $(VENV) build dist demo-output
