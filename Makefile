# The verbs, the same for people and for CI. PYTHON= chooses the interpreter of a new .venv.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin

.PHONY: install demo check test bench docs clean
install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml setup.py $(wildcard src/holmdel/engine/native/*)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	touch $@

demo: install
	$(BIN)/holmdel demo

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python docs/generate.py --check

test: install
	$(BIN)/python -m pytest --cov --cov-report=term -q

bench: install
	$(BIN)/holmdel bench --out bench/results
	$(BIN)/holmdel bench --time-to-accuracy --out bench/results
	$(BIN)/python bench/overhead.py
	$(BIN)/python bench/footprint.py
	$(BIN)/python bench/anatomy.py
	$(BIN)/python bench/loaders.py
	$(BIN)/python docs/generate.py

docs: install
	$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .coverage
