# Everything a newcomer needs: `make run` and `make test`. The rest is for daily work.
JOBS ?= $(shell nproc)
PRESET ?= release
BINARY = build/$(PRESET)/moongate

.PHONY: all run build test test-unit test-e2e soak lint format asan tsan fuzz clean packages packages-test

all: build

packages:
	@tools/install_packages.sh build
packages-test:
	@tools/install_packages.sh test

build: packages
	@test -f build/$(PRESET)/build.ninja || cmake --preset $(PRESET) >/dev/null
	@cmake --build --preset $(PRESET) -j $(JOBS) --target moongate

run: build
	@examples/quickstart/run.sh $(BINARY)

test: test-unit test-e2e

test-unit: packages-test
	@test -f build/$(PRESET)/build.ninja || cmake --preset $(PRESET) >/dev/null
	@cmake --build --preset $(PRESET) -j $(JOBS)
	@ctest --test-dir build/$(PRESET) --output-on-failure -j $(JOBS)

# PROXY=haproxy runs the same tests against a reference; those that ask for more are skipped.
test-e2e: packages-test $(if $(PROXY),,build)
	@PROXY=$${PROXY:-$(abspath $(BINARY))} /usr/bin/python3 -m pytest -q tests \
	  $$(/usr/bin/python3 -c "import xdist" 2>/dev/null && echo "-n auto") $(PYTEST)

# A minute of many clients, flapping servers and failing scripts; PRESET=asan looks for leaks as well.
soak: build
	@PROXY=$(abspath $(BINARY)) /usr/bin/python3 tests/soak.py

lint: packages-test
	@tools/lint.sh

format:
	@git ls-files 'src/*.cc' 'src/*.h' 'fuzz/*.cc' 'bench/*.cc' | xargs clang-format-14 -i

asan tsan:
	@$(MAKE) --no-print-directory test PRESET=$@

fuzz:
	@tools/fuzz.sh

clean:
	@rm -rf build
