//! The user's values, merged in Helm's order: `valuesFrom` below `values` below `setJson`, `set`, `setString`.

use std::fmt;

use belay_api::helm_release::{HelmReleaseSpec, ValuesKind, ValuesReference};
use belay_chart::{ChartError, Layers, UserValues, Values, strvals};

/// Where a value of a release came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The field of the spec: `valuesFrom[0]`, `values`, `set[2]`.
    pub field: String,
    /// The object and its key that the field names; nothing for what stands in the spec itself.
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

/// The values that a spec comes to, without the chart's own. `found` are the keys that `valuesFrom` names, in its
/// order; `None` for what does not exist.
///
/// # Errors
/// When something is missing or cannot be read.
pub fn merge_values(
    spec: &HelmReleaseSpec,
    found: &[Option<Vec<u8>>],
) -> Result<Layers<Origin>, WrongValues> {
    let mut layers = Layers::default();
    for (index, reference) in spec.values_from.iter().enumerate() {
        let field = format!("valuesFrom[{index}]");
        match found.get(index).and_then(Option::as_ref) {
            Some(bytes) => add(&mut layers, field, reference, bytes)?,
            None if reference.optional => {}
            None => {
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
    field: String,
    reference: &ValuesReference,
    bytes: &[u8],
) -> Result<(), WrongValues> {
    let object = format!(
        "{:?} {}, key {}",
        reference.kind, reference.name, reference.values_key
    );
    let origin = Origin {
        field,
        object: Some(object),
        is_secret: reference.kind == ValuesKind::Secret,
    };
    let place = origin.to_string();
    let wrong = |message: String| WrongValues::Unreadable {
        origin: place,
        message,
    };
    let text = String::from_utf8_lossy(bytes);
    if let Some(path) = &reference.target_path {
        let expression = format!("{path}={text}");
        return layers
            .write(origin, |mut map: Values| {
                strvals::set_literal(&expression, &mut map).map(|()| map)
            })
            .map_err(|error| wrong(error.to_string()));
    }
    let values =
        belay_yaml::parse_map(text.as_bytes()).map_err(|error| wrong(error.to_string()))?;
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
