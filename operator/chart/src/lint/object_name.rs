//! The names that Kubernetes lets objects have, by kind.

use super::object::Object;

const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const MAX_SUBDOMAIN: usize = 253;
const MAX_LABEL: usize = 63;

impl Object {
    /// Whether the object's kind allows its name.
    pub(super) fn check_name(&self) -> Result<(), String> {
        let name = &self.name;
        let faults = match self.kind.to_lowercase().as_str() {
            "service" => service(name),
            "namespace" => label(name),
            "certificatesigningrequest" => Vec::new(),
            "role" | "clusterrole" | "rolebinding" | "clusterrolebinding" => path_segment(name),
            _ => subdomain(name),
        };
        let quoted = belay_template::fmt::quoted(name.as_bytes());
        let told: Vec<String> = faults
            .iter()
            .map(|fault| format!("metadata.name: Invalid value: {quoted}: {fault}"))
            .collect();
        let told = match told.as_slice() {
            [] => return Ok(()),
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        Err(format!(
            "object name does not conform to Kubernetes naming requirements: {quoted}: {told}"
        ))
    }
}

/// Labels with dots between them.
fn subdomain(name: &str) -> Vec<String> {
    let mut faults = too_long(name, MAX_SUBDOMAIN);
    if !is_subdomain(name) {
        faults.push(format!(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{LABEL}(\\.{LABEL})*')"
        ));
    }
    faults
}

fn label(name: &str) -> Vec<String> {
    let mut faults = too_long(name, MAX_LABEL);
    if is_label(name) {
        return faults;
    }
    faults.push(if is_subdomain(name) {
        "must not contain dots".to_owned()
    } else {
        format!(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{LABEL}')"
        )
    });
    faults
}

/// A label that begins with a letter.
fn service(name: &str) -> Vec<String> {
    let mut faults = too_long(name, MAX_LABEL);
    if !is_label(name) || !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        faults.push(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
                .to_owned(),
        );
    }
    faults
}

/// Anything that can be one step of a path.
fn path_segment(name: &str) -> Vec<String> {
    if name == "." || name == ".." {
        return vec![format!("may not be '{name}'")];
    }
    ["/", "%"]
        .into_iter()
        .filter(|part| name.contains(part))
        .map(|part| format!("may not contain '{part}'"))
        .collect()
}

fn too_long(name: &str, limit: usize) -> Vec<String> {
    if name.len() > limit {
        vec![format!("must be no more than {limit} characters")]
    } else {
        Vec::new()
    }
}

fn is_label(name: &str) -> bool {
    let end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.starts_with(end) && name.ends_with(end) && name.chars().all(|c| end(c) || c == '-')
}

fn is_subdomain(name: &str) -> bool {
    name.split('.').all(is_label)
}
