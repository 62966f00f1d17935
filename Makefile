# Needs Rust, Go, make and git; everything else is built from this repository.
# `make` alone lists the targets.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test lint crds bench cluster cluster-down

CONTROLPLANE = cargo run --quiet --package belay-harness --bin controlplane --

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-13s %s\n", $$1, $$2}'

# A KUBECONFIG of the environment is left alone: only `make demo KUBECONFIG=…` means the user's own cluster.
DEMO_CLUSTER = $(if $(filter command%,$(origin KUBECONFIG)),--kubeconfig $(KUBECONFIG))

demo: ## Install, upgrade, revert and roll back a chart on a real control plane, live
	@echo "building belay and the demo; the first time this takes about 4 minutes on 2 cores"
	cargo build --package belay --package belay-demo
	cargo run --quiet --package belay-demo -- $(DEMO_CLUSTER)

test: lint ## Formatting, lints and all tests, on a control plane that ends with them
	cargo build --workspace --bins
	$(CONTROLPLANE) with cargo test --workspace

lint: ## Formatting and lints
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- --deny warnings

crds: ## Write crds/ from the Rust types
	cargo run --quiet --package belay-api --bin crds -- crds

bench: ## Compare with kubectl apply and helm, on a control plane that ends with it
	cargo build --release --package belay --package belay-bench
	$(CONTROLPLANE) with cargo run --release --quiet --package belay-bench

cluster: ## Start a control plane in the background, once, and print its kubeconfig
	@$(CONTROLPLANE) up

cluster-down: ## Stop that control plane and remove its data
	@$(CONTROLPLANE) down
