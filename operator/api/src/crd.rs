//! The CRDs as YAML.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps,
};
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
        .map(|mut crd| {
            drop_foreign_formats(&mut crd);
            begin_unobserved(&mut crd);
            let name = format!("{}.yaml", crd.spec.names.plural);
            let text = serde_yaml::to_string(&crd).map_err(|source| Error::Print {
                name: name.clone(),
                source,
            })?;
            Ok((
                name,
                format!("# Printed from operator/api by `make crds`.\n{text}"),
            ))
        })
        .collect()
}

/// A new object says from its first moment on that nobody has looked at its spec: kstatus calls an object that says
/// nothing ready.
fn begin_unobserved(crd: &mut CustomResourceDefinition) {
    for version in &mut crd.spec.versions {
        let schema = version.schema.as_mut();
        let schema = schema.and_then(|schema| schema.open_api_v3_schema.as_mut());
        let properties = schema.and_then(|schema| schema.properties.as_mut());
        if let Some(status) = properties.and_then(|properties| properties.get_mut("status")) {
            // A null would stay, and say nothing.
            status.nullable = None;
            status.default = Some(JSON(serde_json::json!({ "observedGeneration": -1 })));
        }
    }
}

/// Kubernetes knows `int32` and `int64` only, and warns of every other format at each apply.
fn drop_foreign_formats(crd: &mut CustomResourceDefinition) {
    for version in &mut crd.spec.versions {
        if let Some(schema) = version
            .schema
            .as_mut()
            .and_then(|schema| schema.open_api_v3_schema.as_mut())
        {
            walk(schema);
        }
    }
}

fn walk(schema: &mut JSONSchemaProps) {
    if schema
        .format
        .as_ref()
        .is_some_and(|format| format.starts_with("uint"))
    {
        schema.format = None;
    }
    for property in schema
        .properties
        .iter_mut()
        .flat_map(|map| map.values_mut())
    {
        walk(property);
    }
    if let Some(items) = &mut schema.items {
        use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaPropsOrArray;
        match items {
            JSONSchemaPropsOrArray::Schema(item) => walk(item),
            JSONSchemaPropsOrArray::Schemas(all) => all.iter_mut().for_each(walk),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_in_the_repository_are_those_of_the_types() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crds");
        for (name, text) in crds().unwrap() {
            let kept = std::fs::read_to_string(folder.join(&name)).unwrap_or_default();
            assert!(kept == text, "crds/{name} is stale: run `make crds`");
        }
    }
}
