//! The CRDs as YAML.

use kube::CustomResourceExt;

use crate::{HelmRelease, RollbackRequest};

/// What can go wrong when CRDs are printed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A definition cannot be written as YAML; a type in this crate is at fault.
    #[error("cannot print the definition of {name}; check the types of belay-api")]
    Print {
        /// The definition's name.
        name: String,
        /// The cause.
        #[source]
        source: serde_yaml::Error,
    },
}

/// The two definitions: file name and YAML text, ready for `kubectl apply`.
///
/// # Errors
/// [`Error::Print`] when a definition cannot be written as YAML.
pub fn crds() -> Result<Vec<(String, String)>, Error> {
    [HelmRelease::crd(), RollbackRequest::crd()]
        .into_iter()
        .map(|crd| {
            let name = format!("{}.yaml", crd.spec.names.plural);
            let text = serde_yaml::to_string(&crd).map_err(|source| Error::Print {
                name: name.clone(),
                source,
            })?;
            Ok((name, format!("# Printed from operator/api by `make crds`.\n{text}")))
        })
        .collect()
}
