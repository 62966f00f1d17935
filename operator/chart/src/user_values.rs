//! What the user sets: values files and the family of `--set`.

use belay_yaml::{Map, Value};

use crate::chart::Values;
use crate::error::ChartError;
use crate::strvals;

/// A values file that was already read.
#[derive(Debug, Clone, PartialEq)]
pub struct ValuesFile {
    /// How the user named it; only for messages.
    pub name: String,
    /// YAML, possibly several documents, of which later ones win.
    pub data: Vec<u8>,
}

/// All that the user set, each kind in the order given. Later kinds win over earlier ones, whatever their order on the
/// command line.
///
/// ```
/// use belay_chart::{UserValues, Values, ValuesFile};
///
/// let user = UserValues {
///     files: vec![ValuesFile { name: "a.yaml".into(), data: b"tag: stable\nreplicas: 1\n".to_vec() }],
///     set: vec!["replicas=3".into()],
///     set_files: vec!["motd=greeting.txt".into()],
///     ..UserValues::default()
/// };
/// let values = user.merge(Values::new(), &mut |name| Ok(format!("content of {name}").into_bytes()))?;
/// assert_eq!(
///     belay_yaml::to_json(&values.into()).unwrap(),
///     r#"{"motd":"content of greeting.txt","replicas":3,"tag":"stable"}"#
/// );
/// # Ok::<(), belay_chart::ChartError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UserValues {
    /// `-f`, `--values`.
    pub files: Vec<ValuesFile>,
    /// `--set-json`: an object, or `path=json`.
    pub json: Vec<String>,
    /// `--set`.
    pub set: Vec<String>,
    /// `--set-string`.
    pub strings: Vec<String>,
    /// `--set-file`.
    pub set_files: Vec<String>,
    /// `--set-literal`.
    pub literals: Vec<String>,
}

impl UserValues {
    /// Merges everything into one map, on top of `base`; `read` gives the content of files that `--set-file` names.
    ///
    /// # Errors
    /// When a file or a text cannot be read; the message is Helm's.
    pub fn merge(
        &self,
        base: Values,
        read: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
    ) -> Result<Values, ChartError> {
        let mut merged = base;
        for file in &self.files {
            let values = read_documents(&file.data).map_err(|message| ChartError::ValuesFile {
                file: file.name.clone(),
                message,
            })?;
            overlay(&mut merged, values);
        }
        for text in &self.json {
            let failed = |details: String| ChartError::Set {
                flag: "--set-json",
                details,
            };
            let trimmed = text.trim();
            if trimmed.starts_with('{') {
                let map = belay_yaml::parse_json_map(trimmed.as_bytes())
                    .map_err(|_| failed(format!(" JSON: {text}")))?;
                overlay(&mut merged, map.unwrap_or_default());
            } else {
                strvals::set_json(text, &mut merged).map_err(|_| failed(format!(" {text}")))?;
            }
        }
        let failed = |flag| {
            move |e: strvals::SetError| ChartError::Set {
                flag,
                details: format!(": {e}"),
            }
        };
        for text in &self.set {
            strvals::set(text, &mut merged).map_err(failed("--set"))?;
        }
        for text in &self.strings {
            strvals::set_string(text, &mut merged).map_err(failed("--set-string"))?;
        }
        for text in &self.set_files {
            strvals::set_file(text, &mut merged, read).map_err(failed("--set-file"))?;
        }
        for text in &self.literals {
            strvals::set_literal(text, &mut merged).map_err(failed("--set-literal"))?;
        }
        Ok(merged)
    }
}

/// Reads a values file: its documents are merged, later ones win. The message of a failure is Helm's.
pub(crate) fn read_documents(data: &[u8]) -> Result<Values, String> {
    let mut merged = Values::new();
    let documents =
        belay_yaml::documents(data).map_err(|e| format!("error reading yaml document: {e}"))?;
    for document in documents {
        let values = belay_yaml::parse_map(&document.text)
            .map_err(|e| format!("cannot unmarshal yaml document: {e}"))?;
        overlay(&mut merged, values);
    }
    Ok(merged)
}

/// Puts `over` on top of `base`: maps are merged, everything else is replaced, null included.
pub fn overlay(base: &mut Map, over: Map) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Map(below)), Value::Map(above)) => overlay(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// The value with all its numbers as floats, as everything that Helm reads from JSON is.
pub(crate) fn floats(value: Value) -> Value {
    match value {
        Value::Int(number) => Value::Float(number as f64),
        Value::Uint(number) => Value::Float(number as f64),
        Value::Seq(items) => Value::Seq(items.into_iter().map(floats).collect()),
        Value::Map(entries) => {
            Value::Map(entries.into_iter().map(|(k, v)| (k, floats(v))).collect())
        }
        other => other,
    }
}

#[cfg(test)]
#[path = "tests/user_values.rs"]
mod tests;
