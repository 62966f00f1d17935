//! The user's values, merged in Helm's order: `valuesFrom` below `values` below `setJson`, `set`, `setString`.

mod defaults;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use belay_api::helm_release::{ALL_KEYS, HelmReleaseSpec, ValuesKind, ValuesReference};
use belay_chart::{ChartError, Layers, UserValues, Values, strvals};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};

pub use defaults::with_defaults;

/// Where a value of a release came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The field of the spec: `valuesFrom[0]`, `values`, `set[2]`; `chart` for the chart's own.
    pub field: String,
    /// The object and its key that the field names, or the chart's file; nothing for what stands in the spec itself.
    pub object: Option<String>,
    /// Whether the object is a Secret.
    pub is_secret: bool,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.object {
            Some(object) => write!(f, "{}: {object}", self.field),
            None => f.write_str(&self.field),
        }
    }
}

/// Why values cannot be merged.
#[derive(Debug, thiserror::Error)]
pub enum WrongValues {
    /// What `valuesFrom` names does not exist, and is not optional.
    #[error("spec.{field} names the key {key} of {kind:?} {name}, which does not exist")]
    Missing {
        /// The entry.
        field: String,
        /// The key.
        key: String,
        /// The object's kind.
        kind: ValuesKind,
        /// The object.
        name: String,
    },
    /// A text is no YAML, or a path is no path.
    #[error("spec.{origin}: {message}")]
    Unreadable {
        /// Where it stands.
        origin: String,
        /// What is wrong with it, without the text itself where it may be secret.
        message: String,
    },
    /// An expression cannot be read; the message is Helm's.
    #[error("spec.{field}: {source}")]
    Expression {
        /// The expression.
        field: String,
        /// What Helm says of it.
        #[source]
        source: ChartError,
    },
}

/// The keys of an object with their content.
pub type Keys = BTreeMap<String, Vec<u8>>;

/// The keys of a ConfigMap, those of its `binaryData` among them.
pub fn keys_of_config_map(map: ConfigMap) -> Keys {
    let text = map.data.into_iter().flatten();
    let text = text.map(|(key, text)| (key, text.into_bytes()));
    let binary = map.binary_data.into_iter().flatten();
    text.chain(binary.map(|(key, bytes)| (key, bytes.0)))
        .collect()
}

/// The keys of a Secret.
pub fn keys_of_secret(secret: Secret) -> Keys {
    let data = secret.data.into_iter().flatten();
    data.map(|(key, bytes)| (key, bytes.0)).collect()
}

/// The values that a spec comes to, without the chart's own. `found` are the objects that `valuesFrom` names, in its
/// order; `None` for what does not exist.
///
/// # Errors
/// When something is missing or cannot be read.
pub fn merge_values(
    spec: &HelmReleaseSpec,
    found: &[Option<Keys>],
) -> Result<Layers<Origin>, WrongValues> {
    let mut layers = Layers::default();
    for (index, reference) in spec.values_from.iter().enumerate() {
        let field = format!("valuesFrom[{index}]");
        match found.get(index).and_then(Option::as_ref) {
            Some(keys) if reference.values_key == ALL_KEYS => {
                for (key, bytes) in keys {
                    add(&mut layers, &field, reference, key, bytes)?;
                }
            }
            Some(keys) if keys.contains_key(&reference.values_key) => {
                let key = &reference.values_key;
                add(&mut layers, &field, reference, key, &keys[key])?;
            }
            _ if reference.optional => {}
            _ => {
                return Err(WrongValues::Missing {
                    field,
                    key: reference.values_key.clone(),
                    kind: reference.kind,
                    name: reference.name.clone(),
                });
            }
        }
    }
    if let Some(values) = &spec.values {
        let text = serde_json::to_vec(values).unwrap_or_default();
        let values =
            belay_yaml::parse_json_map(&text).map_err(|error| WrongValues::Unreadable {
                origin: "values".to_owned(),
                message: error.to_string(),
            })?;
        layers.overlay(of_spec("values".to_owned()), values.unwrap_or_default());
    }
    let json = |text: &String| UserValues {
        json: vec![text.clone()],
        ..UserValues::default()
    };
    let set = |text: &String| UserValues {
        set: vec![text.clone()],
        ..UserValues::default()
    };
    let string = |text: &String| UserValues {
        strings: vec![text.clone()],
        ..UserValues::default()
    };
    expressions(&mut layers, "setJson", &spec.set_json, json)?;
    expressions(&mut layers, "set", &spec.set, set)?;
    expressions(&mut layers, "setString", &spec.set_string, string)?;
    Ok(layers)
}

fn add(
    layers: &mut Layers<Origin>,
    field: &str,
    reference: &ValuesReference,
    key: &str,
    bytes: &[u8],
) -> Result<(), WrongValues> {
    let object = format!("{:?} {}, key {key}", reference.kind, reference.name);
    let origin = Origin {
        field: field.to_owned(),
        object: Some(object),
        is_secret: reference.kind == ValuesKind::Secret,
    };
    let (place, is_secret) = (origin.to_string(), origin.is_secret);
    // What a reader says of a text may repeat a part of it.
    let wrong = |message: String, without_the_text: String| WrongValues::Unreadable {
        origin: place,
        message: if is_secret { without_the_text } else { message },
    };
    let text = String::from_utf8_lossy(bytes);
    if let Some(path) = &reference.target_path {
        let expression = format!("{path}={text}");
        return layers
            .write(origin, |mut map: Values| {
                strvals::set_literal(&expression, &mut map).map(|()| map)
            })
            .map_err(|error| {
                let path_alone = format!(
                    "nothing can be put at targetPath {path:?}; write a place such as login.password or list[0]"
                );
                wrong(error.to_string(), path_alone)
            });
    }
    let values = belay_yaml::parse_map(text.as_bytes()).map_err(|error| {
        let line = error.position().map(|position| position.line);
        let line = line
            .map(|line| format!(" (line {line})"))
            .unwrap_or_default();
        let line_alone = format!("it is no YAML map{line}; as it is secret, no more is told of it");
        wrong(error.to_string(), line_alone)
    })?;
    layers.overlay(origin, values);
    Ok(())
}

fn expressions(
    layers: &mut Layers<Origin>,
    field: &str,
    texts: &[String],
    read: impl Fn(&String) -> UserValues,
) -> Result<(), WrongValues> {
    for (index, text) in texts.iter().enumerate() {
        let field = format!("{field}[{index}]");
        let values = read(text);
        layers
            .write(of_spec(field.clone()), |map| {
                values.merge(map, &mut |_| Err("files cannot be read here".to_owned()))
            })
            .map_err(|source| WrongValues::Expression { field, source })?;
    }
    Ok(())
}

fn of_spec(field: String) -> Origin {
    Origin {
        field,
        object: None,
        is_secret: false,
    }
}

/// A schema's complaint with, below it, where each value comes from that it names by its place. What is said of a
/// value out of a Secret is left out, as it may repeat the value.
///
/// Its places are those of the validator that Helm uses: `- at '/image/tag': …`, below the name of the chart whose
/// schema it is.
pub(crate) fn with_origins(complaint: &str, chart: &str, layers: &Layers<Origin>) -> String {
    let (mut lines, mut origins) = (Vec::new(), Vec::new());
    let mut within = None;
    for line in complaint.trim_end().lines() {
        let Some((before, place)) = line.split_once("- at '") else {
            let name = line.strip_suffix(':').filter(|name| *name != chart);
            within = name.map(str::to_owned);
            lines.push(line.to_owned());
            continue;
        };
        let pointer = place.split('\'').next().unwrap_or_default();
        let keys = pointer.split('/').skip(1);
        let keys = keys.map(|key| key.replace("~1", "/").replace("~0", "~"));
        let path: Vec<String> = within.iter().cloned().chain(keys).collect();
        lines.push(if is_hidden(&path, layers) {
            let message = place.split_once("': ").map_or("", |(_, message)| message);
            let rule = rule_of(message).unwrap_or("the schema does not allow it");
            format!("{before}- at '{pointer}': {rule}; the value is out of a Secret and not told")
        } else {
            line.to_owned()
        });
        let origin = format!("{} is from {}", path.join("."), origin_of(&path, layers));
        if !pointer.is_empty() && !origins.contains(&origin) {
            origins.push(origin);
        }
    }
    lines.extend(origins);
    lines.join("\n")
}

/// What of a complaint tells the rule and nothing of the value.
fn rule_of(message: &str) -> Option<&str> {
    const TYPES: [&str; 7] = [
        "array", "boolean", "integer", "null", "number", "object", "string",
    ];
    let are_types = |words: &str| words.split(" or ").all(|word| TYPES.contains(&word));
    let types = message.strip_prefix("got ");
    let types = types.and_then(|types| types.split_once(", want "));
    if types.is_some_and(|(got, want)| are_types(got) && are_types(want)) {
        return Some(message);
    }
    let (keyword, _) = message.split_once(": got ")?;
    let is_keyword = keyword.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_keyword.then_some(keyword)
}

/// Whether the value at a path, or the one that it is a part of, is out of a Secret.
fn is_hidden(path: &[String], layers: &Layers<Origin>) -> bool {
    let leaves = layers.leaves();
    let mut whole = leaves.iter().filter(|leaf| path.starts_with(leaf.path));
    whole.any(|leaf| leaf.origins.iter().any(|origin| origin.is_secret))
}

/// Where the value at a path comes from; those below it for a map, the list's for one of its items.
fn origin_of(path: &[String], layers: &Layers<Origin>) -> String {
    let leaves = layers.leaves();
    let here = leaves
        .iter()
        .filter(|leaf| leaf.path.starts_with(path) || path.starts_with(leaf.path));
    let origins: BTreeSet<_> = here
        .flat_map(|leaf| leaf.origins.iter().map(ToString::to_string))
        .collect();
    if origins.is_empty() {
        return "the chart's own values".to_owned();
    }
    let origins: Vec<_> = origins.into_iter().collect();
    origins.join(", ")
}

#[cfg(test)]
mod tests {
    use belay_api::HelmRelease;
    use serde_json::json;

    use super::*;

    /// Given texts that a reader complains about by repeating a part of them.
    #[test]
    fn a_text_that_cannot_be_read_is_repeated_unless_it_is_a_secret_s() {
        for (text, path) in [
            ("user: jane\npassword: *hunter2\n", None),
            ("password: hunter2\npassword: hunter2\n\thunter2", None),
            ("hunter2", None),
            ("hunter2", Some("list[x]")),
        ] {
            for (kind, is_secret) in [("ConfigMap", false), ("Secret", true)] {
                let release: HelmRelease = serde_json::from_value(json!({
                    "apiVersion": "belay.dev/v1alpha1", "kind": "HelmRelease",
                    "metadata": {"name": "web"},
                    "spec": {
                        "chart": {"inline": {"files": {}}},
                        "valuesFrom": [{"kind": kind, "name": "login", "targetPath": path}],
                    },
                }))
                .unwrap();
                let keys = Keys::from([("values.yaml".to_owned(), text.as_bytes().to_vec())]);

                let error = merge_values(&release.spec, &[Some(keys)]).unwrap_err();

                let told = error.to_string();
                let place = format!("spec.valuesFrom[0]: {kind} login, key values.yaml: ");
                assert!(told.starts_with(&place), "{told}");
                assert!(!is_secret || !told.contains("hunter2"), "{told}");
            }
        }
    }

    #[test]
    fn a_schema_s_complaint_names_the_origin_of_each_value() {
        let mut layers = Layers::default();
        let map = |text: &str| belay_yaml::parse_map(text.as_bytes()).unwrap();
        let base = Origin {
            field: "valuesFrom[0]".into(),
            object: Some("ConfigMap base, key values.yaml".into()),
            is_secret: false,
        };
        layers.overlay(base, map("image: {tag: 1}\ndb: {port: x}\nlist: [1, a]\n"));
        layers.overlay(of_spec("values".into()), map("replicas: many\n"));
        let login = Origin {
            field: "valuesFrom[1]".into(),
            object: Some("Secret login, key password".into()),
            is_secret: true,
        };
        layers.overlay(login, map("password: hunter2\n"));
        let complaint = "the schema(s) in the following chart(s):\nweb:\n- at '/replicas': got string, want integer\n\
                         - at '/list/1': got string, want integer\n- at '': missing property 'x'\n- at '/own': no\n  - at '/password': 'hunter2' does not match\n- at '/password': minLength: got 7, want 8\n- at '/password': got string, want null or integer\ndb:\n- at '/port': got string\n";

        let told = with_origins(complaint, "web", &layers);

        assert!(
            !told.contains("hunter2") && !told.contains("got 7"),
            "{told}"
        );
        for rule in [
            "minLength",
            "got string, want null or integer",
            "the schema does not allow it",
        ] {
            let line =
                format!("- at '/password': {rule}; the value is out of a Secret and not told");
            assert!(told.contains(&line), "{told}");
        }
        let lines: Vec<_> = told.lines().skip(complaint.lines().count()).collect();
        assert_eq!(
            lines,
            [
                "replicas is from values",
                "list.1 is from valuesFrom[0]: ConfigMap base, key values.yaml",
                "own is from the chart's own values",
                "password is from valuesFrom[1]: Secret login, key password",
                "db.port is from valuesFrom[0]: ConfigMap base, key values.yaml",
            ]
        );
    }
}
