//! What the spec says to do to rendered objects.

use belay_api::Reason;
use belay_api::helm_release::{HelmReleaseSpec, ObjectPatch, PatchTarget};
use belay_patch::{Patch, Target};
use belay_release::PostRender;
use belay_yaml::{Numbers, ParseOptions};
use serde_json::{Value, json};

use super::desired::Refusal;

/// Reads the patches and the common metadata of a spec.
pub(crate) fn read(spec: &HelmReleaseSpec) -> Result<PostRender, Refusal> {
    let mut patches = Vec::with_capacity(spec.post_render.len());
    for (index, given) in spec.post_render.iter().enumerate() {
        let target = given.target.as_ref().map(target);
        let wrong = |what: &str| {
            let message = format!("spec.postRender[{index}]: {what}");
            Refusal::lasting(Reason::SpecInvalid, &message)
        };
        let change = change(given).map_err(|what| wrong(&what))?;
        let patch =
            Patch::new(target.as_ref(), &change).map_err(|error| wrong(&error.to_string()))?;
        patches.push((patch, target));
    }
    Ok(PostRender::new(
        patches,
        spec.common_metadata.labels.clone(),
        spec.common_metadata.annotations.clone(),
    ))
}

/// The same for the digest: nothing where nothing is done.
pub(super) fn asked(spec: &HelmReleaseSpec) -> Option<Value> {
    let nothing = spec.post_render.is_empty() && spec.common_metadata.is_empty();
    (!nothing)
        .then(|| json!({"postRender": spec.post_render, "commonMetadata": spec.common_metadata}))
}

/// What the patch says; written as text, it is YAML.
fn change(given: &ObjectPatch) -> Result<Value, String> {
    let Value::String(text) = &given.patch else {
        return Ok(given.patch.clone());
    };
    let options = ParseOptions {
        numbers: Numbers::Exact,
        strict: true,
        ..ParseOptions::default()
    };
    belay_yaml::parse_with(text.as_bytes(), &options)
        .map(|value| belay_yaml::to_serde(&value))
        .map_err(|error| format!("its text is no YAML: {error}"))
}

fn target(given: &PatchTarget) -> Target {
    Target {
        group: given.group.clone(),
        version: given.version.clone(),
        kind: given.kind.clone(),
        name: given.name.clone(),
        namespace: given.namespace.clone(),
        label_selector: given.label_selector.clone(),
        annotation_selector: given.annotation_selector.clone(),
    }
}
