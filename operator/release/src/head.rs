use std::collections::BTreeMap;

use belay_yaml::{Map, Numbers, ParseOptions, Value, parse_paths, parse_with};

use crate::error::Error;
use crate::misfit::{Misfit, Part, Shape};

/// What a document says about itself. What it does not say is empty: comments alone are a document too.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Head {
    /// `apiVersion`.
    pub api_version: String,
    /// `kind`.
    pub kind: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`; `None` when the release's own is meant, or none.
    pub namespace: Option<String>,
    /// `metadata.annotations`.
    pub annotations: BTreeMap<String, String>,
}

/// What a head is read from. The rest of a document has to be YAML, too, but most of a manifest is in it.
const FIELDS: [&[&str]; 5] = [
    &["apiVersion"],
    &["kind"],
    &["metadata", "annotations"],
    &["metadata", "name"],
    &["metadata", "namespace"],
];

impl Head {
    /// Reads a document's head as Helm does: numbers and booleans in the place of text are taken for text.
    ///
    /// `path` and `line`, the document's first line in the rendered file counted from 1, are for errors.
    ///
    /// # Errors
    /// [`Error::Yaml`] for what is not YAML, [`Error::NotAnObject`] for what is, but has another shape.
    pub fn read(path: &str, line: usize, text: &str) -> Result<Self, Error> {
        let document = parse_paths(text.as_bytes(), &exact(), &FIELDS)
            .map_err(|source| broken(path, line, source))?;
        let mut head = Self::default();
        head.fill(&document).map_err(|misfit| Error::NotAnObject {
            path: path.to_owned(),
            line,
            misfit,
        })?;
        Ok(head)
    }

    fn fill(&mut self, document: &Value) -> Result<(), Misfit> {
        let Some(entries) = mapping(document, Part::Document)? else {
            return Ok(());
        };
        for value in folded(entries, "apiVersion") {
            string(value, Part::ApiVersion, &mut self.api_version)?;
        }
        for value in folded(entries, "kind") {
            string(value, Part::Kind, &mut self.kind)?;
        }
        for metadata in folded(entries, "metadata") {
            let Some(metadata) = mapping(metadata, Part::Metadata)? else {
                continue;
            };
            for annotations in folded(metadata, "annotations") {
                for (name, value) in mapping(annotations, Part::Annotations)?
                    .into_iter()
                    .flatten()
                {
                    let annotation = self.annotations.entry(name.clone()).or_default();
                    string(value, Part::Annotation(name.clone()), annotation)?;
                }
            }
            for value in folded(metadata, "name") {
                string(value, Part::Name, &mut self.name)?;
            }
            self.namespace = metadata
                .get("namespace")
                .and_then(Value::to_string_field)
                .filter(|namespace| !namespace.is_empty());
        }
        Ok(())
    }
}

/// The values that Go's decoder puts into a field: a key's letters may be of either case, the last one counts.
fn folded<'a>(entries: &'a Map, field: &'a str) -> impl Iterator<Item = &'a Value> {
    entries
        .iter()
        .filter(move |(key, _)| key.eq_ignore_ascii_case(field))
        .map(|(_, value)| value)
}

fn misfit(part: Part, value: &Value) -> Result<(), Misfit> {
    Shape::of(value).map_or(Ok(()), |found| Err(Misfit { part, found }))
}

/// The entries of a mapping; nothing for null.
fn mapping(value: &Value, part: Part) -> Result<Option<&Map>, Misfit> {
    match value {
        Value::Map(entries) => Ok(Some(entries)),
        _ => misfit(part, value).map(|()| None),
    }
}

/// Puts text into the field; null leaves it as it is.
fn string(value: &Value, part: Part, field: &mut String) -> Result<(), Misfit> {
    match value {
        Value::Null => Ok(()),
        _ => match value.to_string_field() {
            Some(text) => {
                *field = text;
                Ok(())
            }
            None => misfit(part, value),
        },
    }
}

/// Parses one document, integers kept as such; the last of a key's values wins, as in Helm.
pub(crate) fn parse_document(path: &str, line: usize, text: &str) -> Result<Value, Error> {
    parse_with(text.as_bytes(), &exact()).map_err(|source| broken(path, line, source))
}

fn exact() -> ParseOptions {
    ParseOptions {
        numbers: Numbers::Exact,
        ..ParseOptions::default()
    }
}

fn broken(path: &str, line: usize, source: belay_yaml::Error) -> Error {
    let inside = source
        .position()
        .and_then(|position| usize::try_from(position.line).ok())
        .unwrap_or(1);
    Error::Yaml {
        path: path.to_owned(),
        line: line + inside.saturating_sub(1),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_takes_numbers_and_booleans_for_text() {
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: 7\n  namespace: shop\n  \
                    annotations: {helm.sh/hook-weight: 5, on: true, none: null}\n";
        let head = Head::read("a.yaml", 1, text).unwrap();
        assert_eq!(
            (head.name.as_str(), head.namespace.as_deref()),
            ("7", Some("shop"))
        );
        let annotations: Vec<_> = head
            .annotations
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            annotations,
            [("helm.sh/hook-weight", "5"), ("none", ""), ("true", "true")]
        );
    }

    #[test]
    fn keys_of_either_case_are_the_field_and_the_last_counts() {
        let head = Head::read("a.yaml", 1, "Kind: A\nkind: B\nMetadata: {NAME: c}\n").unwrap();
        assert_eq!((head.kind.as_str(), head.name.as_str()), ("B", "c"));
    }

    #[test]
    fn comments_alone_have_an_empty_head() {
        assert_eq!(
            Head::read("a.yaml", 1, "# nothing\n").unwrap(),
            Head::default()
        );
    }

    #[test]
    fn an_error_names_the_file_and_the_line_in_it() {
        let error = Head::read("web/templates/a.yaml", 10, "kind: A\n  bad: [\n").unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("YAML parse error on web/templates/a.yaml: "),
            "{text}"
        );
        assert!(matches!(error, Error::Yaml { line: 11 | 12, .. }), "{text}");
    }

    #[test]
    fn what_is_no_object_is_told_by_its_field() {
        for (text, field) in [
            ("- a\n", "the document has to be a mapping"),
            ("metadata: x\n", "metadata has to be a mapping"),
            (
                "metadata: {name: [a]}\n",
                "metadata.name has to be a string",
            ),
            (
                "metadata: {annotations: {a: {}}}\n",
                "metadata.annotations[a] has to be a string",
            ),
        ] {
            let error = Head::read("a.yaml", 3, text).unwrap_err().to_string();
            assert!(error.contains(field), "{error}");
            assert!(error.contains("line 3"), "{error}");
        }
    }
}
