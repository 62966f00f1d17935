//! What every other test relies on: the cluster is real, and its fakes behave.

#[path = "controlplane/faults.rs"]
mod faults;
#[path = "controlplane/identities.rs"]
mod identities;
#[path = "controlplane/lifetime.rs"]
mod lifetime;
#[path = "controlplane/pods.rs"]
mod pods;
#[path = "controlplane/repository.rs"]
mod repository;
