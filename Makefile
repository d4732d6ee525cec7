# Every target fetches what it needs by itself (lab/toolbox.py) and works from a fresh clone.
SHELL := /bin/sh
.DEFAULT_GOAL := help
export KEEP
.PHONY: help check formatting lint types contracts workflows tables examples audit format test test-fast fuzz demo conformance calls bench live roads lock docs ghes wheels clean

PYTHON ?= python3
TOOLS := $(PYTHON) lab/toolbox.py run
SOURCES := $(wildcard scripts lab tests bench)
DOCS := $(wildcard scripts/docs.py)
# One more than the two cores: the longest tests mostly wait.
WORKERS ?= 3
TESTS ?=
INPUTS ?= 20000
SEED ?= $(shell date +%s)
COMPILE := uv pip compile --quiet --universal --python-version 3.10 --generate-hashes --no-emit-index-url --no-header

help: ## these lines
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

check: formatting lint types contracts workflows tables examples audit ## all that is found without running: style, types, contracts, security

formatting:
	$(TOOLS) ruff format --check --quiet .

lint:
	$(TOOLS) ruff check --quiet .

types:
	$(TOOLS) mypy --no-error-summary $(SOURCES)

contracts:
	$(TOOLS) env PYTHONPATH=scripts lint-imports --no-cache

workflows:
	$(TOOLS) zizmor --offline --persona auditor --strict-collection --quiet . $(patsubst %/.github,%,$(wildcard examples/*/.github examples/*/*/.github))

tables:
	$(if $(DOCS),$(TOOLS) python scripts/docs.py --check)

examples:
	$(TOOLS) python -m pytest tests/docs

audit:
	$(TOOLS) python -m lab.audit

format: ## put every file into the one format
	$(TOOLS) ruff check --quiet --fix .
	$(TOOLS) ruff format --quiet .

test: ## all tests; TESTS=tests/launcher for some
	$(TOOLS) python -m pytest -n $(WORKERS) --dist loadfile $(TESTS)

test-fast: WORKERS = 4
test-fast: ## the tests that need neither act nor a browser nor generated input
	$(TOOLS) python -m pytest -n $(WORKERS) --dist loadfile -p no:hypothesispytest -m "not road and not browser and not fuzz" --ignore=tests/road --ignore=tests/lab/test_act.py $(TESTS)

roads: ## every bare repository from init to production under act; about five minutes, not part of make test
	$(TOOLS) python -m pytest -m road -n 2 --dist worksteal tests/road/test_newcomers.py

demo: ## one release from commit to production, on this machine; KEEP=1 leaves the lab up
	$(TOOLS) env PYTHONPATH=scripts python -m lab.demo

conformance: ## the forge beside GitHub's own descriptions (needs npm)
	$(TOOLS) env PYTHONPATH=scripts python -m lab.conformance $(TESTS)

calls: ## what every action asks of GitHub, recorded from its tests, for the least permissions of each job; TESTS=tests/actions/test_x.py adds
	$(TOOLS) env PYTHONPATH=scripts python -m lab.conformance.runs $(TESTS)

fuzz: ## generated input for longer; INPUTS=20000 SEED=7, where a failure names its seed
	$(TOOLS) env STAGEGATE_FUZZ_INPUTS=$(INPUTS) STAGEGATE_FUZZ_DOCUMENTS=$(INPUTS) STAGEGATE_FUZZ_SEED=$(SEED) \
		python -m pytest -n $(WORKERS) tests/fuzz tests/pins/test_go_reader.py

bench: ## what start, gate and promotion cost
	$(TOOLS) env PYTHONPATH=scripts python -m bench

live: ## REPOSITORY=owner/name: the few checks that only github.com can answer; RECORDINGS=folder: a gate against each, in real time
	$(if $(RECORDINGS),$(TOOLS) python tests/cases/argo/recorded.py . --real $(RECORDINGS))
	$(if $(REPOSITORY)$(if $(RECORDINGS),,usage),$(TOOLS) env PYTHONPATH=scripts python -m lab.live $(REPOSITORY))

ghes: ## OUT=folder REF=owner/name@ref: a copy for GitHub Enterprise Server, which lacks two words of GitHub.com
	$(TOOLS) env PYTHONPATH=scripts python -m lab.rewrite $(OUT) $(REF)

wheels: ## OUT=folder: the locked libraries as files, for runners without an index (needs pip)
	$(TOOLS) env PYTHONPATH=scripts python -m lab.wheels $(OUT)

docs: ## write the generated tables and the settings schema
	$(TOOLS) python scripts/docs.py

lock: ## every requirements.txt from its .in file; UPGRADE=--upgrade takes newer versions
	cd scripts && $(PYTHON) ../lab/toolbox.py run $(COMPILE) $(UPGRADE) requirements.in -o requirements.txt
	cd scripts && $(PYTHON) ../lab/toolbox.py run $(COMPILE) $(UPGRADE) requirements-dev.in -o requirements-dev.txt
	cd scripts && $(PYTHON) ../lab/toolbox.py run $(COMPILE) $(UPGRADE) requirements-browser.in -o requirements-browser.txt

clean: ## caches inside the repository
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
