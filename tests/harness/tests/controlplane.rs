//! What every other test relies on: the cluster is real, and its fakes behave.

#[cfg(test)]
#[path = "controlplane"]
mod tests {
    mod faults;
    mod identities;
    mod lifetime;
    mod pods;
    mod repository;
}
