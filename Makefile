# The project's commands; each sets up what it needs. `make help` lists them.
#   VENV=.venv  PYTHON=python3  K=<pytest -k expression>  OP=<benchmark name>

VENV ?= .venv
PYTHON ?= python3
K ?=
OP ?=
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip --disable-pip-version-check
CXX_FILES := csrc tests/cpp benchmarks/cpp examples/cpp
PY_FILES := pytensor tests tools examples benchmarks

# PyTorch is what the tests compare with. Its CPU build is enough, and much smaller.
ORACLE_INDEX ?= https://download.pytorch.org/whl/cpu

.DEFAULT_GOAL := help
.PHONY: help setup build train test test-cpp test-cuda test-asan bench fmt lint tidy check clean

help:  ## list the commands
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

setup: $(VENV)/.ready  ## virtual environment, editable build, test tools, PyTorch if it can be had

$(VENV)/.python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.10 or newer, please" if sys.version_info < (3, 10) else 0)'
	$(PYTHON) -m venv $(VENV)
	touch $@

# The extras of the installed package name the versions; installing one builds nothing again.
$(VENV)/.ready: $(VENV)/.python pyproject.toml
	$(PIP) install -q 'scikit-build-core>=0.11' 'pybind11>=3.0' cmake ninja
	$(PIP) install --no-build-isolation -e '.[test]'
	$(PIP) install -q --retries 1 --extra-index-url $(ORACLE_INDEX) 'pytensor-dl[oracle]' \
	  || echo '*** PyTorch cannot be installed: tests that compare with it will be skipped ***'
	touch $@

$(VENV)/.lint: $(VENV)/.ready
	$(PIP) install -q 'pytensor-dl[lint]'
	touch $@

build: $(VENV)/.ready  ## compile what changed since the last build
	$(RUN) -m tools.build

train: build  ## main job: train on real digits (options: python -m examples.mnist --help)
	$(RUN) -m examples.mnist

test: build  ## all tests, or those that match K
	$(RUN) -m pytest $(if $(K),-k "$(K)",-n auto --maxprocesses 8)

test-cpp: build  ## C++ tests
	$(RUN) -m tools.build tests

# Builds the kernels for CUDA with the emulator beside the rest, once plain and once checked.
test-cuda: export PYTENSOR_EMU_ORDER = random
test-cuda: export PYTENSOR_EMU_LAZY = 1
test-cuda: build  ## the device tests, and the op tests on the emulated device
	cmake=$(VENV)/bin/cmake; [ -x $$cmake ] || cmake=cmake; \
	  $$cmake -DPYTENSOR_CUDA=CHECKED "$$($(RUN) -m tools.build where)"
	$(RUN) -m tools.build
	$(RUN) -m pytest tests/cuda -n auto --maxprocesses 8
	PYTENSOR_TEST_DEVICE=cuda $(RUN) -m pytest tests/ops/test_registry.py -n auto --maxprocesses 8

# Its own environment and build folder, and the kernels of this machine alone. Leaks at exit are
# those of other libraries; what the package measures (size, import) is not what is installed here.
ASAN_ISA ?= $(shell case "$$(cat /proc/cpuinfo)" in \
  (*avx512vl*) echo avx512;; (*avx2*) echo avx2;; (*) echo baseline;; esac)
test-asan: export SKBUILD_BUILD_DIR = build/asan
test-asan: export SKBUILD_CMAKE_BUILD_TYPE = Debug
test-asan: export SKBUILD_CMAKE_DEFINE = PYTENSOR_SANITIZE=address,undefined;PYTENSOR_ISAS=$(ASAN_ISA)
test-asan: export ASAN_OPTIONS = detect_leaks=0:allocator_may_return_null=1
test-asan: export UBSAN_OPTIONS = print_stacktrace=1
test-asan:  ## all tests, or those that match K, under AddressSanitizer and UBSan
	$(MAKE) setup VENV=$(VENV)-asan
	$(VENV)-asan/bin/python -m pip install -q --no-build-isolation --no-deps -e .
	LD_PRELOAD="$$(g++ -print-file-name=libasan.so) $$(g++ -print-file-name=libubsan.so)" \
	  $(VENV)-asan/bin/python -m pytest --ignore tests/test_packaging.py $(if $(K),-k "$(K)",-n auto)

bench: build  ## benchmarks in C++ and beside PyTorch, or those that match OP
	$(RUN) -m tools.build benchmarks $(OP)
	@if [ -e benchmarks/python/__main__.py ]; then $(RUN) -m benchmarks.python $(OP); fi

fmt: $(VENV)/.lint  ## format every source file
	$(RUN) -m ruff check --fix-only -q $(PY_FILES)
	$(RUN) -m ruff format -q $(PY_FILES)
	find $(CXX_FILES) -name '*.cpp' -o -name '*.h' | xargs $(VENV)/bin/clang-format -i
	$(VENV)/bin/gersemi -q -i CMakeLists.txt cmake

lint: $(VENV)/.lint  ## format, style, types and layers
	$(RUN) -m ruff check $(PY_FILES)
	$(RUN) -m ruff format --check $(PY_FILES)
	find $(CXX_FILES) -name '*.cpp' -o -name '*.h' | xargs $(VENV)/bin/clang-format --dry-run -Werror
	$(VENV)/bin/gersemi --check CMakeLists.txt cmake
	$(RUN) -m tools.check_layers
	$(RUN) -m mypy

tidy: build $(VENV)/.lint  ## clang-tidy on FILES (default: all of csrc; takes minutes)
	$(VENV)/bin/clang-tidy -p $$($(RUN) -m tools.build where) $(or $(FILES),$(shell find csrc -name '*.cpp'))

check:  ## what continuous integration runs, on a copy of this tree
	.ci/run

clean:  ## remove everything that was built; the virtual environment too
	rm -rf build dist $(VENV) .mypy_cache .pytest_cache .ruff_cache
