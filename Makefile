# The verbs, the same for people and for CI. PYTHON= chooses the interpreter of a new .venv.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
WORKERS = -n auto --maxprocesses 8 --dist worksteal

.PHONY: install demo check check-page test test-all bench sanitize campaign audit docs notebooks site wheel clean
install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt setup.py $(wildcard src/holmdel/engine/native/* src/holmdel/reading/native/*)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		-c constraints.txt -e ".[dev]"
	touch $@

demo: install
	$(BIN)/holmdel demo

check: install check-page audit
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python docs/generate.py --check

# The page's JavaScript: its types by TypeScript, its modules without a DOM by Node's test runner.
check-page:
	@if ! command -v npm >/dev/null; then \
		echo "skipped: check of the page's types, tests/page/*.test.js (no Node.js)"; \
	else \
		test node_modules/.package-lock.json -nt package.json \
			|| npm install --no-package-lock --no-audit --no-fund --loglevel=error \
			|| echo "skipped: check of the page's types (npm cannot install typescript)"; \
		test ! -x node_modules/.bin/tsc || npm run --silent types; \
		types=$$?; npm test --silent && exit $$types; \
	fi

test: install
	$(BIN)/python -m pytest -q $(WORKERS)

# Besides, all cases of what `test` runs a few of: fuzzing, browser, deep networks, kills.
test-all: test
	$(BIN)/python -m pytest -q $(WORKERS) -m "exhaustive and not slow and not mxnet and not clients"

bench: install
	$(BIN)/python bench/compare.py
	$(BIN)/python bench/overhead.py
	$(BIN)/python bench/footprint.py
	$(BIN)/python bench/anatomy.py
	$(BIN)/python bench/loaders.py
	$(BIN)/python docs/generate.py

# The libraries are the engine's own source; libstdc++ is preloaded so that exceptions are seen.

SANITIZED = build/sanitized
SANITIZE  = -std=c++17 -O1 -g -fno-omit-frame-pointer -ffp-contract=fast -fno-math-errno \
            -fsanitize=address,undefined -fno-sanitize-recover=all -Isrc/holmdel/engine/native
NATIVE    = $(wildcard src/holmdel/engine/native/*)
PRELOAD   = $(shell $(CXX) -print-file-name=libasan.so) $(shell $(CXX) -print-file-name=libstdc++.so)

$(SANITIZED)/_portable.so $(SANITIZED)/driver: INSTRUCTIONS =
$(SANITIZED)/_avx2.so: INSTRUCTIONS = -mavx2 -mfma

$(SANITIZED)/_%.so: $(NATIVE)
	mkdir -p $(@D)
	$(CXX) $(SANITIZE) $(INSTRUCTIONS) -fPIC -shared -fvisibility=hidden \
		src/holmdel/engine/native/engine.cpp -o $@ -lpthread

$(SANITIZED)/driver: tests/native/sanitize.cpp $(NATIVE)
	mkdir -p $(@D)
	$(CXX) $(SANITIZE) $(INSTRUCTIONS) $< -o $@ -lpthread

sanitize: install $(SANITIZED)/_portable.so $(SANITIZED)/_avx2.so $(SANITIZED)/driver
	$(SANITIZED)/driver
	LD_PRELOAD="$(PRELOAD)" ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 \
		HOLMDEL_LIBRARY_FOLDER=$(CURDIR)/$(SANITIZED) \
		$(BIN)/python -m pytest -q --capture=sys tests/test_engine.py \
		tests/test_engine_training.py tests/test_engine_refusals.py tests/test_engine_layers.py \
		tests/test_engine_weights.py tests/test_engine_norms.py tests/test_engine_augment.py tests/test_engine_sums.py \
		tests/test_engine_described.py

# Kills, damaged files and requests, random chains under sanitizers, overload: hours of work, not in
# CI. CAMPAIGN= chooses parts and sizes: CAMPAIGN="fuzz --cases 1000".
campaign: install $(SANITIZED)/_portable.so $(SANITIZED)/_avx2.so
	PYTHONPATH=bench $(BIN)/python -m campaign $(CAMPAIGN)

docs: install
	$(BIN)/python docs/generate.py

# The pages that teach, as notebooks in notebooks/.
notebooks: install
	$(BIN)/python docs/notebooks.py

# The documents as a site to browse: build/site/index.html.
site: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[docs]"
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# dist/ gets the sdist and a wheel that installs without a compiler on Linux with a glibc as new
# as this machine's; auditwheel names the oldest one in the wheel's file name. And holmdel-runtime's.
wheel: install
	rm -rf dist build/wheel
	$(BIN)/python -m build --sdist --wheel --outdir build/wheel
	$(BIN)/python -m build --wheel --outdir build/wheel runtime
	for wheel in build/wheel/*.whl; do \
		PATH="$(abspath $(BIN)):$$PATH" $(BIN)/auditwheel repair -w dist "$$wheel" || exit; done
	mv build/wheel/*.tar.gz dist/
	$(BIN)/cyclonedx-py requirements constraints.txt --pyproject pyproject.toml \
		--output-reproducible --of JSON -o dist/holmdel.cdx.json

# Known faults of the versions that the tests ran with, as far as the index at hand knows any.
audit: install
	$(BIN)/python bench/audit.py

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache
