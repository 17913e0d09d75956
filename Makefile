# Every command a person needs; `make` alone lists them. Each one sets up .venv first, by itself.
# PYTHON=python3.12 chooses the interpreter (.venv then keeps it); ARGS goes to pytest.

.DEFAULT_GOAL := help
.PHONY: help setup run demo test test-scripts test-sql test-postgres test-monitoring lint types contracts format bench storm mutants foreign fuzz browser pictures failover dist openapi lock clean
BIN := .venv/bin

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: export SETUP = $(value SETUP_SCRIPT)
setup: ## Build .venv from requirements.lock; quick when nothing changed
	@sh -euc "$$SETUP"

run: setup ## Everything simulated, with a chat in this terminal
	@$(BIN)/hazina sim

demo: setup ## The simulated world in a browser, at http://127.0.0.1:8420/
	@$(BIN)/hazina sim --serve

test: lint types contracts ## Every check: lint, types, contracts, tests, conversation scripts
	$(BIN)/pytest -n 2 --maxschedchunk 25 $(ARGS)

# SHARE=N takes one in N of them, always the same ones, here and below.
SHARE ?= 1
test-scripts: setup ## Conversation scripts on every channel, and with a restart after every line (three minutes)
	$(BIN)/pytest -n 2 --maxschedchunk 25 -m scripts --share $(SHARE) $(ARGS) tests/test_conversations.py

# Starts the server itself, in a temporary folder; psql reads the statements, so no driver is needed.
test-sql: setup ## Does PostgreSQL understand the SQL of storage? (apt-get install postgresql)
	$(BIN)/pytest -m postgres $(ARGS) tests/sql

# Each run has a server of its own, too. BOTH are tests that SQLite passes as well. LONG=no leaves out
# what takes longest: restarts, crash points, storms, whose SEEDS, HOURS and FOR are as below.
LONG ?= yes
BOTH ?= tests/property tests/integration/services tests/storm tests/test_conversations.py
test-postgres: SEEDS = 1..50
test-postgres: HOURS = 6
test-postgres: setup ## Is all as on SQLite? Rules, scripts, crashes, storms on PostgreSQL (forty minutes; apt-get install postgresql)
	$(BIN)/pytest -n 2 -m postgres $(ARGS) tests/postgres
	$(ON_POSTGRES) $(ARGS) $(BOTH)
ifneq ($(LONG),no)
	$(ON_POSTGRES) -m scripts $(ARGS) tests/test_conversations.py
	$(ON_POSTGRES) -m long -k kill_at_any_point $(ARGS) tests/storm/test_storm.py
	$(BIN)/python -m tests.postgres.storms --seeds $(SEEDS) --hours $(HOURS) --partners 2 --for $(FOR) --jobs $(JOBS) --quiet
endif
ON_POSTGRES = $(BIN)/pytest -n 2 --maxschedchunk 5 --on-postgres --share $(SHARE)

test-monitoring: setup ## Do promtool and docs/monitoring/ agree with /metrics? (apt-get install prometheus)
	$(BIN)/pytest -m promtool $(ARGS) tests/monitoring

lint: setup ## Style and formatting
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: setup ## mypy, strict
	$(BIN)/mypy

contracts: setup ## Who may import whom, and that the lock holds what pyproject.toml asks for
	$(BIN)/lint-imports
	$(BIN)/python -Im pip check

format: setup ## Put the code in the project's format, and mend what can be mended
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: setup ## Measure turns, answers, screens, polls, float, files, the API, pages and USSD; one JSON line a case
	$(BIN)/hazina bench turns
	$(BIN)/hazina bench telegram
	$(BIN)/hazina bench screens
	$(BIN)/hazina bench polls
	$(BIN)/hazina bench float
	$(BIN)/hazina bench payouts
	$(BIN)/hazina bench recovery
	$(BIN)/hazina bench dashboard
	$(BIN)/hazina bench api
	$(BIN)/hazina bench page
	$(BIN)/hazina bench ussd

# SEEDS, HOURS, KILLS, FOR (seconds, no more worlds after them) and SHARE shorten it: .ci/run takes a
# part.
# JOBS are the processes that play worlds.
SEEDS ?= 1..1000
HOURS ?= 24
KILLS ?= 300
JOBS ?= 2
FOR ?= 100000
storm: setup ## Long storms, every crash point, seeded mistakes, real kills (an hour; needs strace)
	$(BIN)/hazina storm --seeds $(SEEDS) --hours $(HOURS) --partners 2 --for $(FOR) --jobs $(JOBS) --quiet
	KILLS=$(KILLS) $(BIN)/pytest -n 2 -m long --share $(SHARE) $(ARGS)

# SEED draws MOST of all the mistakes that could be made; no more are begun after FOR seconds. Which
# tests run which line is measured first, once for a state of the files. ARGS="--only 'FILE KIND'"
# tries all of those instead, named as they are printed. TESTS are those that may notice.
SEED ?= 1
MOST ?= 200
TESTS ?= tests
mutants: setup ## Small seeded mistakes in the files of money: do the tests notice? (a quarter hour)
	@$(BIN)/python -m tests.mutants --seed $(SEED) --most $(MOST) --for $(FOR) --jobs $(JOBS) --tests $(TESTS) $(ARGS)

# What tests/NAME wants beside the desk's packages, in .venv-NAME. Built again when its lock, this
# folder or the Python changes: all three are in the stamp.
VENV = stamp="$$($(BIN)/python -V) in $$(pwd -P) from $$(cksum <tests/$(1)/requirements.lock)"; \
	if ! [ -f .venv-$(1)/.packages ] || [ "$$(cat .venv-$(1)/.packages)" != "$$stamp" ]; then \
		rm -rf .venv-$(1) && $(BIN)/python -m venv .venv-$(1) && \
		.venv-$(1)/bin/python -Im pip install --quiet --no-input --disable-pip-version-check \
			--no-deps --require-hashes -r tests/$(1)/requirements.lock && \
		echo "$$stamp" >.venv-$(1)/.packages; \
	fi

# From npm's lock, when that or the lock has changed; without npm its tests are skipped, and say so.
MENU := tests/foreign/ussd_menu
foreign: setup ## Other people's clients against our simulations, and a menu of npm's (.venv-foreign, npm)
	@$(call VENV,foreign)
	@if command -v npm >/dev/null && ! [ $(MENU)/node_modules/.package-lock.json -nt $(MENU)/package-lock.json ]; then \
		npm ci --prefix $(MENU) --ignore-scripts --no-audit --no-fund --silent && touch $(MENU)/node_modules/.package-lock.json; \
	fi
	$(BIN)/pytest -m foreign $(ARGS) tests/foreign

# FUZZ_S seconds are spent on drawing requests. The generated client and the fuzzer call `hazina sim --serve`.
FUZZ_S ?= 120
fuzz: setup ## A client generated from docs/openapi.json, and schemathesis, call the API (.venv-fuzz)
	@$(call VENV,fuzz)
	FUZZ_S=$(FUZZ_S) $(BIN)/pytest -m fuzz $(ARGS) tests/fuzz

# Its own pytest runs them, and the desk is another process, so they import nothing of it.
browser: setup ## The demo page in Chromium (.venv-browser; apt-get install chromium)
	@$(call VENV,browser)
	.venv-browser/bin/pytest -n 2 --dist worksteal $(ARGS) tests/browser

pictures: setup ## Take the pictures of the demo page in docs/pictures
	@$(call VENV,browser)
	.venv-browser/bin/python -m tests.browser.pictures

# Needs root, network namespaces and Debian's packages: apt-get install postgresql-15 etcd-server
# iproute2 nftables curl openssl. ARGS="--only WORDS" takes the faults whose name has those words.
failover: setup ## Three nodes of docs/scale.md on this machine, and what can go wrong with them (.venv-failover; twenty minutes)
	@$(call VENV,failover)
	@$(BIN)/python -m tests.failover $(ARGS)

# With hatchling of the lock, so without the network. The wheel is built from the sdist, and tried
# with the packages of .venv that it asks for, and no others.
dist: setup ## Build the wheel and the sdist into dist/, and try the wheel away from here
	rm -f dist/hazina-*
	$(BIN)/python -Im build --no-isolation
	$(BIN)/pytest -m wheel $(ARGS) tests/end_to_end/test_wheel.py

openapi: setup ## Write docs/openapi.json from the table of calls
	@$(BIN)/hazina openapi >docs/openapi.json.new && mv docs/openapi.json.new docs/openapi.json

# `make lock` is the one command that regenerates requirements.lock after a dependency changed in
# pyproject.toml, and those of other virtual environments after one changed in a requirements.in;
# `make lock ARGS=--upgrade` takes the newest release of everything in range.
# One file serves Python 3.11-3.13 on every processor: it is resolved on the oldest, and holds the
# hashes of all wheels and sdists. The machine's own pip configuration is set aside, so that no
# local build's hash gets in.
lock: setup ## Regenerate the locks of all virtual environments (on Python 3.11)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo 'The lock is resolved on the oldest Python supported: make lock PYTHON=python3.11' >&2; exit 1; }
	$(COMPILE) --extra dev --extra documents --extra postgres --build-deps-for editable \
		--output-file requirements.lock $(ARGS) pyproject.toml
	$(COMPILE) --output-file tests/foreign/requirements.lock $(ARGS) tests/foreign/requirements.in
	$(COMPILE) --output-file tests/fuzz/requirements.lock $(ARGS) tests/fuzz/requirements.in
	$(COMPILE) --output-file tests/browser/requirements.lock $(ARGS) tests/browser/requirements.in
	$(COMPILE) --output-file tests/failover/requirements.lock $(ARGS) tests/failover/requirements.in

COMPILE = PIP_CONFIG_FILE=/dev/null PIP_INDEX_URL= PIP_EXTRA_INDEX_URL= PIP_FIND_LINKS= \
	CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/pip-compile --quiet --no-config \
	--generate-hashes --allow-unsafe --strip-extras \
	--no-emit-options --no-emit-index-url --no-emit-find-links --no-emit-trusted-host

clean: ## Remove .venv and its like, caches and build output; never .env or a database
	rm -rf .venv .venv-foreign .venv-fuzz .venv-browser .venv-failover dist .coverage .hypothesis .mutants .mypy_cache .pytest_cache tests/browser/.pytest_cache tests/foreign/ussd_menu/node_modules .ruff_cache .import_linter_cache
	find bot flows services storage tests -name __pycache__ -prune -exec rm -rf {} +

# Two stamps, each written when its step is finished, so that an interrupted build is done again:
# .packages when the lock is installed, .project when hazina itself is. A .venv does not survive
# another Python, another folder or another lock: all three are in the stamp.
define SETUP_SCRIPT
identity() {  # which Python this is; nothing when it does not run
    "$1" -ISc 'import sys; print(sys.implementation.cache_tag, sys.base_prefix)' 2>/dev/null || true
}
usable() {
    "$1" -Ic 'import sys, sqlite3, venv, ensurepip as e; sys.exit(sys.version_info < (3, 11) or not e.version())' \
        2>/dev/null
}
stamped() {
    [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]
}

has=$(identity .venv/bin/python)
packages="$has in $(pwd -P) from $(cksum <requirements.lock)"
project="$packages and $(cksum <pyproject.toml)"
if [ -n "${PYTHON:-}" ] && [ "$has" != "$(identity "$PYTHON")" ]; then
    packages= project=
fi
if stamped .venv/.project "$project"; then
    exit 0
fi

if ! stamped .venv/.packages "$packages"; then
    if [ -n "${PYTHON:-}" ]; then
        set -- "$PYTHON"
    else
        set -- python3 python3.13 python3.12 python3.11
        # CONTRIBUTING.md says why; elsewhere /usr/bin/python3 may be but an offer to install one.
        if [ "$(uname)" = Linux ]; then set -- /usr/bin/python3 "$@"; fi
        if [ -f .venv/.packages ]; then set -- .venv/bin/python "$@"; fi
    fi
    while [ $# -gt 0 ] && ! usable "$1"; do shift; done
    if [ $# -eq 0 ]; then
        echo "Hazina needs Python 3.11 or newer with its venv module${PYTHON:+, and $PYTHON is not that}." >&2
        if command -v apt-get >/dev/null; then
            if [ "$(id -u)" = 0 ]; then sudo=; else sudo='sudo '; fi
            echo "    ${sudo}apt-get install -y python3-venv" >&2
        fi
        exit 1
    fi
    # The Python behind it: $1 may be inside the very .venv that is about to go.
    python=$("$1" -ISc 'import sys; print(sys._base_executable)')
    echo "Building .venv with $("$python" -V) (once; about half a minute)"
    rm -rf .venv
    "$python" -m venv .venv
    .venv/bin/python -Im pip install --quiet --no-input --disable-pip-version-check \
        --no-deps --require-hashes -r requirements.lock
    packages="$(identity .venv/bin/python) in $(pwd -P) from $(cksum <requirements.lock)"
    project="$packages and $(cksum <pyproject.toml)"
    echo "$packages" >.venv/.packages
fi

rm -f .venv/.project
.venv/bin/python -Im pip install --quiet --no-input --disable-pip-version-check \
    --no-deps --no-build-isolation -e .
# Where the project is, told relative to the file, so in ASCII: Python reads it in the locale's
# encoding before anything else, and in a folder of other letters it would end there.
for pth in .venv/lib/python3*/site-packages/_editable_impl_hazina.pth; do
    if [ -f "$pth" ]; then echo ../../../.. >"$pth"; fi
done
echo "$project" >.venv/.project
endef
