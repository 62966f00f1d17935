//! Belay against a real control plane: one binary, one module a subject.

#[cfg(test)]
mod cluster_apply;
#[cfg(test)]
mod cluster_faults;
#[cfg(test)]
mod cluster_hooks;
#[cfg(test)]
mod cluster_prune;
#[cfg(test)]
mod cluster_store;
#[cfg(test)]
mod cluster_warnings;
#[cfg(test)]
mod cluster_watch;
#[cfg(test)]
mod cluster_world;
#[cfg(test)]
mod command_adopt;
#[cfg(test)]
mod command_diff;
#[cfg(test)]
mod command_line;
#[cfg(test)]
mod command_verify;
#[cfg(test)]
mod endure_by_hand;
#[cfg(test)]
mod endure_charts;
#[cfg(test)]
mod endure_cut;
#[cfg(test)]
mod endure_handover;
#[cfg(test)]
mod endure_kill;
#[cfg(test)]
mod endure_rest;
#[cfg(test)]
mod endure_restore;
#[cfg(test)]
mod endure_tenfold;
#[cfg(test)]
mod endure_throttled;
#[cfg(test)]
mod endure_world;
#[cfg(test)]
mod judges_builtin;
#[cfg(test)]
mod operator_account;
#[cfg(test)]
mod operator_admission;
#[cfg(test)]
mod operator_aggregation;
#[cfg(test)]
mod operator_approval;
#[cfg(test)]
mod operator_charts;
#[cfg(test)]
mod operator_checks;
#[cfg(test)]
mod operator_definitions;
#[cfg(test)]
mod operator_dependencies;
#[cfg(test)]
mod operator_drift;
#[cfg(test)]
mod operator_failures;
#[cfg(test)]
mod operator_gate;
#[cfg(test)]
mod operator_hooks;
#[cfg(test)]
mod operator_input;
#[cfg(test)]
mod operator_life;
#[cfg(test)]
mod operator_namespaces;
#[cfg(test)]
mod operator_objects;
#[cfg(test)]
mod operator_orders;
#[cfg(test)]
mod operator_outage;
#[cfg(test)]
mod operator_outside;
#[cfg(test)]
mod operator_post_render;
#[cfg(test)]
mod operator_readiness;
#[cfg(test)]
mod operator_recreate;
#[cfg(test)]
mod operator_references;
#[cfg(test)]
mod operator_refusals;
#[cfg(test)]
mod operator_registry;
#[cfg(test)]
mod operator_remote;
#[cfg(test)]
mod operator_requests;
#[cfg(test)]
mod operator_revert;
#[cfg(test)]
mod operator_rollback;
#[cfg(test)]
mod operator_secrecy;
#[cfg(test)]
mod operator_serving;
#[cfg(test)]
mod operator_signals;
#[cfg(test)]
mod operator_size;
#[cfg(test)]
mod operator_soak;
#[cfg(test)]
mod operator_sources;
#[cfg(test)]
mod operator_storage;
#[cfg(test)]
mod operator_suspend;
#[cfg(test)]
mod operator_trouble;
#[cfg(test)]
mod operator_verdicts;
#[cfg(test)]
mod operator_verify;
#[cfg(test)]
mod operator_world;
