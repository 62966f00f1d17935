//! The rules that Helm holds a `Chart.yaml` to when it loads a chart.

use belay_template::semver;

use crate::error::ChartError;
use crate::metadata::{Dependency, Metadata};

/// Cleans the texts and checks the fields in Helm's order.
pub(crate) fn validate(metadata: &mut Metadata) -> Result<(), ChartError> {
    for text in [
        &mut metadata.name,
        &mut metadata.description,
        &mut metadata.home,
        &mut metadata.icon,
        &mut metadata.condition,
        &mut metadata.tags,
        &mut metadata.app_version,
        &mut metadata.kube_version,
    ] {
        sanitise(text);
    }
    metadata
        .sources
        .iter_mut()
        .chain(&mut metadata.keywords)
        .for_each(sanitise);

    check(!metadata.api_version.is_empty(), || {
        "chart.metadata.apiVersion is required".to_owned()
    })?;
    check(!metadata.name.is_empty(), || {
        "chart.metadata.name is required".to_owned()
    })?;
    let name = &metadata.name;
    check(name != "." && name != "..", || {
        format!("chart.metadata.name {name:?} is not allowed")
    })?;
    check(!name.contains('/'), || {
        format!("chart.metadata.name {name:?} is invalid")
    })?;
    check(!metadata.version.is_empty(), || {
        "chart.metadata.version is required".to_owned()
    })?;
    let version = &metadata.version;
    check(semver::Version::parse(version).is_ok(), || {
        format!("chart.metadata.version {version:?} is invalid")
    })?;
    check(
        matches!(metadata.kind.as_str(), "" | "application" | "library"),
        || "chart.metadata.type must be application or library".to_owned(),
    )?;

    for maintainer in &mut metadata.maintainers {
        [
            &mut maintainer.name,
            &mut maintainer.email,
            &mut maintainer.url,
        ]
        .into_iter()
        .for_each(sanitise);
    }
    let mut seen: Vec<String> = Vec::new();
    for dependency in metadata.dependencies.iter_mut().flatten() {
        validate_dependency(dependency)?;
        let key = if dependency.alias.is_empty() {
            &dependency.name
        } else {
            &dependency.alias
        };
        check(!seen.contains(key), || {
            format!("more than one dependency with name or alias {key:?}")
        })?;
        seen.push(key.clone());
    }
    Ok(())
}

fn validate_dependency(dependency: &mut Dependency) -> Result<(), ChartError> {
    for text in [
        &mut dependency.name,
        &mut dependency.version,
        &mut dependency.repository,
        &mut dependency.condition,
    ] {
        sanitise(text);
    }
    dependency.tags.iter_mut().for_each(sanitise);
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    check(dependency.alias.chars().all(allowed), || {
        format!(
            "dependency {:?} has disallowed characters in the alias",
            dependency.name
        )
    })
}

fn check(holds: bool, text: impl FnOnce() -> String) -> Result<(), ChartError> {
    if holds {
        Ok(())
    } else {
        Err(ChartError::Invalid(text()))
    }
}

/// Any space becomes a plain one, what cannot be printed goes.
fn sanitise(text: &mut String) {
    if text.chars().all(|c| matches!(c, ' '..='~')) {
        return;
    }
    *text = text
        .chars()
        .filter_map(|c| match c {
            _ if c.is_whitespace() => Some(' '),
            _ if c.is_control() || is_format(c) => None,
            _ => Some(c),
        })
        .collect();
}

/// Characters that Go does not count as printable although they are no controls: formatting marks, private use and
/// what is no character.
fn is_format(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{f0000}'..='\u{10ffff}')
}
