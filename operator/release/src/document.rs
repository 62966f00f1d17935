use belay_yaml::{from_serde, to_serde};
use serde_json::Value;

use crate::error::Error;
use crate::head::{Head, parse_document};
use crate::misfit::{Misfit, Part, Shape};
use crate::order::has_a_say_in_others;

/// One document of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The template that it came from, as in the line `# Source:`; empty when a foreign manifest has no such line.
    pub path: String,
    /// Its first line in the file that errors speak of, counted from 1.
    pub line: usize,
    /// Its text, without separator and `# Source:` line.
    pub text: String,
    /// What it says about itself.
    pub head: Head,
}

impl Document {
    /// A document of this text.
    ///
    /// # Errors
    /// See [`Head::read`].
    pub fn new(path: &str, line: usize, text: &str) -> Result<Self, Error> {
        Ok(Self {
            path: path.to_owned(),
            line,
            text: text.to_owned(),
            head: Head::read(path, line, text)?,
        })
    }

    /// The document in a manifest: separator, source, text, line break.
    pub fn to_text(&self) -> String {
        format!("---\n# Source: {}\n{}\n", self.path, self.text)
    }

    /// Whether it may hold something on which the API server's answers about other objects depend: admission, aggregated
    /// APIs, definitions of custom resources.
    pub fn may_have_a_say(&self) -> bool {
        let Head {
            api_version, kind, ..
        } = &self.head;
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        has_a_say_in_others(group, kind)
            || kind == "CustomResourceDefinition"
            || kind.ends_with("List")
    }

    /// The objects that the document stands for: none for comments, several for a `List` (anything with a list of
    /// `items`, as kubectl and Helm see it), else one. Items of a `FooList` without a kind of their own are `Foo`s.
    ///
    /// # Errors
    /// [`Error::Yaml`] or [`Error::NotAnObject`].
    pub fn objects(&self) -> Result<Vec<Value>, Error> {
        // With the line break that a manifest ends it with: it can be part of a block scalar.
        let parsed = parse_document(&self.path, self.line, &format!("{}\n", self.text))?;
        let mut objects = Vec::new();
        self.flatten(to_serde(&parsed), &mut objects)?;
        Ok(objects)
    }

    fn flatten(&self, value: Value, objects: &mut Vec<Value>) -> Result<(), Error> {
        match value {
            Value::Null => Ok(()),
            Value::Object(mut map) => {
                let Some(Value::Array(items)) = map.get_mut("items").map(Value::take) else {
                    objects.push(Value::Object(map));
                    return Ok(());
                };
                for mut item in items {
                    inherit(&mut item, &map);
                    self.flatten(item, objects)?;
                }
                Ok(())
            }
            other => {
                let found = Shape::of(&from_serde(&other)).map(|found| Misfit {
                    part: Part::Document,
                    found,
                });
                found.map_or(Ok(()), |misfit| {
                    Err(Error::NotAnObject {
                        path: self.path.clone(),
                        line: self.line,
                        misfit,
                    })
                })
            }
        }
    }
}

/// Gives an item the kind and version that its list implies.
fn inherit(item: &mut Value, list: &serde_json::Map<String, Value>) {
    let (Some(item), Some(version)) = (item.as_object_mut(), list.get("apiVersion")) else {
        return;
    };
    let kind = list
        .get("kind")
        .and_then(Value::as_str)
        .and_then(|kind| kind.strip_suffix("List"))
        .filter(|kind| !kind.is_empty());
    if let Some(kind) = kind
        && !item.contains_key("kind")
    {
        item.insert("kind".to_owned(), kind.into());
        item.entry("apiVersion").or_insert_with(|| version.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn objects(text: &str) -> Vec<Value> {
        Document::new("a.yaml", 1, text).unwrap().objects().unwrap()
    }

    #[test]
    fn a_document_is_one_object_with_its_integers_intact() {
        assert_eq!(
            objects("kind: ConfigMap\ndata: {big: 9007199254740993}"),
            [json!({"kind": "ConfigMap", "data": {"big": 9_007_199_254_740_993_i64}})]
        );
    }

    #[test]
    fn comments_are_no_object() {
        assert_eq!(objects("# nothing"), [json!(null); 0]);
    }

    #[test]
    fn lists_are_taken_apart() {
        let text = "apiVersion: v1\nkind: List\nitems:\n- kind: Secret\n- kind: RoleList\n  \
                    apiVersion: rbac.authorization.k8s.io/v1\n  items:\n  - metadata: {name: r}\n";
        assert_eq!(
            objects(text),
            [
                json!({"kind": "Secret"}),
                json!({"kind": "Role", "apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "r"}})
            ]
        );
    }

    #[test]
    fn the_line_break_that_ends_a_document_can_be_part_of_it() {
        assert_eq!(objects("a: |\n  x"), [json!({"a": "x\n"})]);
    }
}
