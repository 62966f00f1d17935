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
mod cluster_watch;
#[cfg(test)]
mod cluster_world;
