# One virtual environment in .venv, made from requirements.lock; every target uses it.
PYTHON ?= python3.11
CORES ?= $(shell nproc)
VENV := .venv
BIN := $(VENV)/bin
# Horovod compiles against the installed TensorFlow, with Gloo alone.
HOROVOD_BUILD := HOROVOD_WITH_TENSORFLOW=1 HOROVOD_WITHOUT_PYTORCH=1 HOROVOD_WITHOUT_MXNET=1 \
	HOROVOD_WITH_GLOO=1 HOROVOD_WITHOUT_MPI=1 PATH="$(CURDIR)/$(BIN):$$PATH"
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: setup demo explain test test-cluster test-faults lint bench lock clean
.DEFAULT_GOAL := setup

setup: $(VENV)/complete

# Three steps, because Horovod's build needs TensorFlow and CMake to be there already.
$(VENV)/complete: requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not on the PATH: install it, or name another 3.11 with 'make PYTHON=...'"; exit 1; }
	rm -f $@
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	awk '/^[a-z]/ {keep = !/^horovod==/} keep' requirements.lock > $(VENV)/without-horovod.lock
	$(PIP) install --require-hashes --no-deps -r $(VENV)/without-horovod.lock
	$(HOROVOD_BUILD) $(PIP) install --require-hashes --no-deps --no-build-isolation --no-binary horovod -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

demo: setup
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --cores $(CORES)
	@echo "The report is at $(CURDIR)/results/report.html"

# Why each job would run: make explain CONFIG=my_config.yaml DIRECTORY=/data/run1
CONFIG ?= workflow_config.yaml
DIRECTORY ?= .
explain: setup
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --dry-run --quiet host --configfile "$(CONFIG)" --directory "$(DIRECTORY)"

test: setup lint
	$(BIN)/pytest -m "not cluster and not faults"

# The chain on a Slurm that the tests start by themselves, where Slurm is installed.
test-cluster: setup
	$(BIN)/pytest -m cluster

# Kills, full disks and the like, each followed by the same command again.
test-faults: setup
	$(BIN)/pytest -m faults

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile rules
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --lint

bench: setup
	for script in benchmarks/*.py; do $(BIN)/python "$$script" || exit 1; done

# Pins again what pyproject.toml asks for; envs/fgunet.yaml carries the same. Wants uv on the PATH.
lock:
	uv pip compile --python-version 3.11 --generate-hashes --all-extras --upgrade \
		--no-emit-index-url --no-header --quiet pyproject.toml -o requirements.lock

clean:
	rm -rf results simulated logs .snakemake
