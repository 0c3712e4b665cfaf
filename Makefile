# `make demo` and `make test` are all a fresh Debian machine needs: Python 3.11 or newer, make and git are there,
# the rest is installed here from the hashed lists in requirements/ and from Debian's packages.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --no-input --quiet
SYSTEM_PACKAGES := postfix postgresql chromium fonts-liberation fonts-dejavu-core fonts-noto-cjk fonts-noto-color-emoji fonts-lohit-deva fonts-tlwg-loma-ttf spamassassin strace faketime dovecot-imapd
NPM := tests/npm/node_modules/.package-lock.json

.DEFAULT_GOAL := help
.PHONY: help demo test check bench torture format docs words lock system gallery pictures assets clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/run ## Run the whole job on a sample desk and show it; ONCE=1 ends after sending
	@$(BIN)/newsletter demo $(if $(ONCE),--once) $(if $(PORT),--port $(PORT))

# Commands are started a thousand times: without their bytecode kept, each would compile every module anew.
test: export PYTHONDONTWRITEBYTECODE =
# Exit 5 is pytest's word for "no such test": ARGS may name tests of one kind only.
PYTEST := $(BIN)/python -m pytest
test: $(VENV)/dev system $(NPM) ## Run every test; what the machine lacks is named and counted as skipped
	@$(PYTEST) -n auto --maxprocesses=4 --dist=worksteal -m "not alone" $(ARGS) || test $$? = 5
	@$(PYTEST) -m alone $(ARGS) || test $$? = 5

check: $(VENV)/dev ## Check format, lint, types and imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/dev system ## Measure a whole send against smtp-source, in one run
	@$(BIN)/python -m bench $(ARGS)

torture: $(VENV)/dev system ## Kill senders at random, for minutes, and compare the ledger with what the server took
	@$(BIN)/python -m tests.torture $(ARGS)

format: $(VENV)/dev ## Write the code in its one format
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format .

docs: $(VENV)/run ## Write docs/reference.md and docs/api.md from the code
	@$(BIN)/python docs/make_reference.py

SPEAKING := templates newsletter/web/pages
words: $(VENV)/run ## Bring the words of the mails, and of pages in their languages, into the catalogues of templates/words/
	@$(BIN)/pybabel -q extract -F babel.cfg --omit-header --no-location --no-wrap -o $(VENV)/words.pot $(SPEAKING)
	@for catalogue in templates/words/*.po; do \
		$(BIN)/pybabel -q update --no-fuzzy-matching --ignore-obsolete --no-wrap -N \
			-i $(VENV)/words.pot -o $$catalogue -l $$(basename $$catalogue .po); \
		sed -i -E '/^"(Project|Report|POT|PO-|Last|Language-Team|MIME|Content-Transfer|Generated)/d' $$catalogue; done

gallery: $(VENV)/dev system ## Make the pictures of docs/gallery/ anew
	NEWSLETTER_GALLERY=1 $(BIN)/python -m pytest -q tests/render/test_pictures.py tests/web/test_web_gallery.py

pictures: $(VENV)/dev system ## Make the pictures of docs/pictures/ anew
	$(BIN)/python docs/pictures/make.py

lock: $(VENV)/run ## Resolve the hashed requirement lists anew
	$(PYTHON) -m venv $(VENV)/lock
	$(VENV)/lock/bin/pip install --quiet uv
	$(LOCK) pyproject.toml -o requirements/run.txt
	$(LOCK) --group build -o requirements/build.txt
	$(LOCK) pyproject.toml --group dev --group build --extra postgresql -c requirements/run.txt -o requirements/dev.txt
LOCK = $(VENV)/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url

assets: ## Make the editor of schedule.yaml anew from web-assets/, which needs npm
	cd web-assets && npm ci --silent && npm run --silent build

clean: ## Remove what these targets made
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; PYTHON=… names one")'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		echo "python3-venv is missing; installing it"; \
		test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv >/dev/null \
		|| { echo "install it first: sudo apt-get install python3-venv"; exit 1; }; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run: $(VENV)/bin/pip requirements/run.txt requirements/build.txt pyproject.toml
	@echo "installing what the product needs"
	@$(PIP) install --require-hashes -r requirements/run.txt -r requirements/build.txt
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/dev: $(VENV)/run requirements/dev.txt
	@echo "installing what its tests need"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

# What tests need beside Python. Without root it is named; the tests that need it are then skipped by name.
system:
	@missing=$$(dpkg-query -W -f '$${Package} $${db:Status-Status}\n' $(SYSTEM_PACKAGES) 2>/dev/null \
		| awk '$$2 == "installed" { print $$1 }' | sort | comm -13 - <(printf '%s\n' $(SYSTEM_PACKAGES) | sort)); \
	test -z "$$missing" && exit 0; \
	if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
		echo "installing from Debian:" $$missing; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing \
			>/dev/null 2>&1 || echo "could not install all of:" $$missing; \
	else \
		echo "not installed (their tests will be skipped): sudo apt-get install" $$missing; \
	fi
# Yardsticks from npm: the reference MJML compiler and axe. Without npm they are left out, and their tests skipped by name.
$(NPM): tests/npm/package-lock.json
	@command -v npm >/dev/null || { test "$$(id -u)" = 0 && apt-get update -qq \
		&& DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends npm >/dev/null 2>&1; } || true
	@command -v npm >/dev/null && { echo "installing what tests measure against"; cd tests/npm && npm ci --silent && touch node_modules/.package-lock.json; } \
		|| echo "not installed (its tests will be skipped): npm"
SHELL := /bin/bash
