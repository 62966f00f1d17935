# Needs Rust, Go, make and git; everything else is built from this repository.
# `make` alone lists the targets.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test lint crds bench cluster cluster-down

CONTROLPLANE = cargo run --quiet --package belay-harness --bin controlplane --

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-13s %s\n", $$1, $$2}'

demo: ## Install, upgrade, revert and roll back a chart on a real control plane, live
	cargo build --quiet --package belay-cli --package belay-demo
ifdef KUBECONFIG
	cargo run --quiet --package belay-demo
else
	$(CONTROLPLANE) with cargo run --quiet --package belay-demo
endif

test: lint ## Formatting, lints and all tests, on a control plane that ends with them
	cargo build --workspace --bins
	$(CONTROLPLANE) with cargo test --workspace

lint: ## Formatting and lints
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- --deny warnings

crds: ## Write crds/ from the Rust types
	cargo run --quiet --package belay-api --bin crds -- crds

bench: ## Compare with kubectl apply and helm, on a control plane that ends with it
	cargo build --release --package belay-cli --package belay-bench
	$(CONTROLPLANE) with cargo run --release --quiet --package belay-bench

cluster: ## Start a control plane in the background, once, and print its kubeconfig
	@$(CONTROLPLANE) up

cluster-down: ## Stop that control plane and remove its data
	@$(CONTROLPLANE) down
