# Needs Rust, Go, make and git; everything else is built from this repository.
# `make` alone lists the targets.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo describe test lint crds bench fuzz cluster cluster-down

# One selection of packages for every build: another one would mean other features, and building all anew.
BUILT = $(or $(CARGO_TARGET_DIR),target)/debug
CONTROLPLANE = $(BUILT)/controlplane

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-13s %s\n", $$1, $$2}'

# A KUBECONFIG of the environment is left alone: only `make demo KUBECONFIG=…` means the user's own cluster.
DEMO_CLUSTER = $(if $(filter command%,$(origin KUBECONFIG)),--kubeconfig $(KUBECONFIG))

demo: bins ## Install, upgrade, revert and roll back a chart on a real control plane, live
	@$(BUILT)/belay-demo $(DEMO_CLUSTER)

describe: bins ## Write docs/describe.md: five releases that went back, as kubectl shows them
	@$(BUILT)/belay-demo --describe docs/describe.md

.PHONY: bins
bins:
	@echo "building Belay; the first time this takes about 4 minutes on 2 cores"
	@cargo build --workspace --bins

test: lint ## Formatting, lints and all tests, on a control plane that ends with them
	cargo build --workspace --all-targets
	$(CONTROLPLANE) with cargo test --workspace

lint: ## Formatting and lints
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- --deny warnings

crds: bins ## Write crds/ and docs/fields.md from the Rust types
	$(BUILT)/crds crds
	$(BUILT)/fields > docs/fields.md

bench: bins ## Compare with kubectl apply and helm, on a control plane that ends with it
	cargo build --release --workspace --bin belay --bin belay-bench
	$(CONTROLPLANE) with $(or $(CARGO_TARGET_DIR),target)/release/belay-bench

fuzz: bins ## Ask Helm's engine and ours generated questions for SECONDS (600), and tell CASES (20000) stories, from SEED (1) on
	$(BUILT)/belay-differential $(or $(SECONDS),600) $(or $(SEED),1)
	PROPTEST_RNG_SEED=$(or $(SEED),1) PROPTEST_CASES=$(or $(CASES),$(PROPTEST_CASES),20000) \
		cargo test -p belay-rollout --test rollout -- --nocapture random_stories

cluster: bins ## Start a control plane in the background, once, and print its kubeconfig
	@$(CONTROLPLANE) up

cluster-down: bins ## Stop that control plane and remove its data
	@$(CONTROLPLANE) down
