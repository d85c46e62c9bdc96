# make run     builds Roost and starts it with CONFIG (Config/demo.yaml unless told otherwise)
# make test    builds and runs all tests
# make bench   measures, in release mode, and prints a table; BENCH=NAME runs the groups whose name contains NAME
# make lint    checks the form of the code
# make format  mends the form of the code

CONFIG ?= Config/demo.yaml
BENCH ?=
export SWIFT_BACKTRACE ?= enable=no

.PHONY: run test bench lint format setup clean

run: setup
	@.make/build release --product roost
	@echo "roost: starting with $(CONFIG); Ctrl-C stops it"
	@exec .build/release/roost run --config $(CONFIG) --follow

test: setup
	@.make/build debug --build-tests
	@.make/test

bench: setup
	@.make/build release --product roost-benchmarks
	@.build/release/roost-benchmarks $(BENCH)

lint:
	@swift format lint --strict --recursive Package.swift Sources Plugins Tests
	@echo "lint: nothing to say"

format:
	@swift format --in-place --recursive Package.swift Sources Plugins Tests

setup:
	@.make/setup

clean:
	rm -rf .build
