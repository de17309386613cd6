# Each target is one command with all of its set-up: nothing has to be installed before.
# What they install or build lands in one folder; $(CACHE) can be moved by RUNNER_GUARD_CACHE.

SHELL := bash
CACHE := $(or $(RUNNER_GUARD_CACHE),$(or $(HOME),/root)/.cache/runner-guard)
CARGO_TARGET_DIR ?= $(CACHE)/target
PROFILE ?= release
IMAGE ?= runner-guard:dev
export RUNNER_GUARD_CACHE := $(CACHE)
export CARGO_TARGET_DIR PROFILE

.PHONY: help demo test bench image lint advisories fuzz build setup clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST)

demo: ## a gate that passes, blocks and fails over, then a failed deploy explained; real parts, about a minute
	@demo/run.sh

test: ## every test, against the real binary, image, Prometheus, Ansible and a second implementation of the runner
	@scripts/test.sh

bench: ## the figures of the performance tables
	@scripts/setup.sh rust musl
	@. scripts/common.sh && cargo bench --locked --target x86_64-unknown-linux-musl

image: ## the container image runner-guard:dev (or IMAGE=…) from a static binary built here, its size checked
	@trap scripts/teardown.sh EXIT; binary=$$(scripts/build.sh) && scripts/image.sh "$$binary" "$(IMAGE)" && scripts/check-image.sh "$(IMAGE)"

lint: ## format, clippy, licences, crate count, shell scripts, workflows
	@scripts/lint.sh

advisories: ## known vulnerabilities of the crates; fetches their database
	@scripts/setup.sh rust cargo-deny
	@. scripts/common.sh && cargo deny --locked check advisories

fuzz: ## looks for inputs that break a promise, a minute for each reader of foreign text; `scripts/fuzz.sh SECONDS TARGET...` for more
	@scripts/fuzz.sh

build: ## the static binary
	@scripts/build.sh

setup: ## everything that the other targets need
	@scripts/setup.sh all

clean: ## removes what was built (not what was installed)
	rm -rf "$(CARGO_TARGET_DIR)" runner-guard-out
