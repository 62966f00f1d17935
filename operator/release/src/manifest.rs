use serde_json::Value;

use crate::document::Document;
use crate::error::Error;
use crate::split::split_stored;

const SOURCE: &str = "# Source: ";

/// The objects of a revision, as text in the order in which they are applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The documents, in order.
    pub documents: Vec<Document>,
}

impl Manifest {
    /// Takes a stored manifest apart. Lines in errors are those of the manifest.
    ///
    /// # Errors
    /// [`Error::Yaml`] or [`Error::NotAnObject`] for a document that no version of Helm would have stored.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut found = Vec::new();
        let mut announced = "";
        for (line, piece) in split_stored(text) {
            let (path, body, skipped) = take_source(piece);
            if body.trim().is_empty() {
                // A document that began with a separator of its own stands behind its source.
                announced = path;
                continue;
            }
            let path = if path.is_empty() { announced } else { path };
            announced = "";
            let body = body.strip_suffix('\n').unwrap_or(body);
            found.push(Document::new(path, line + skipped, body)?);
        }
        Ok(Self { documents: found })
    }

    /// The manifest as Helm stores it.
    pub fn to_text(&self) -> String {
        self.documents.iter().map(Document::to_text).collect()
    }

    /// All objects in order, lists taken apart.
    ///
    /// # Errors
    /// See [`Document::objects`].
    pub fn objects(&self) -> Result<Vec<Value>, Error> {
        let mut objects = Vec::new();
        for document in &self.documents {
            objects.extend(document.objects()?);
        }
        Ok(objects)
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }
}

/// The path of a leading `# Source:` line, what follows it, and how many lines that skips.
fn take_source(text: &str) -> (&str, &str, usize) {
    let Some(rest) = text.strip_prefix(SOURCE) else {
        return ("", text, 0);
    };
    let (path, body) = rest.split_once('\n').unwrap_or((rest, ""));
    (path.trim_end(), body, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORED: &str = "---\n# Source: web/templates/a.yaml\nkind: ConfigMap\nmetadata:\n  name: a\n\n---\n\
                          # Source: web/templates/b.yaml\n# a comment\nkind: Service\nmetadata:\n  name: b\n";

    #[test]
    fn a_stored_manifest_is_taken_apart_and_put_together_without_loss() {
        let manifest = Manifest::parse(STORED).unwrap();
        let seen: Vec<_> = manifest
            .documents
            .iter()
            .map(|d| {
                (
                    d.path.as_str(),
                    d.line,
                    d.head.kind.as_str(),
                    d.head.name.as_str(),
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("web/templates/a.yaml", 3, "ConfigMap", "a"),
                ("web/templates/b.yaml", 9, "Service", "b")
            ]
        );
        assert_eq!(manifest.to_text(), STORED);
        assert_eq!(manifest.objects().unwrap().len(), 2);
    }

    #[test]
    fn a_document_that_began_with_a_separator_keeps_its_source() {
        let manifest =
            Manifest::parse("---\n# Source: w/a.yaml\n---\nkind: A\n---\nkind: B\n").unwrap();
        let seen: Vec<_> = manifest
            .documents
            .iter()
            .map(|d| (d.path.as_str(), d.line, d.head.kind.as_str()))
            .collect();
        assert_eq!(seen, [("w/a.yaml", 4, "A"), ("", 6, "B")]);
    }

    #[test]
    fn a_manifest_without_sources_is_understood_too() {
        let manifest = Manifest::parse("kind: A\n---\n\n---\nkind: B\n").unwrap();
        let kinds: Vec<_> = manifest
            .documents
            .iter()
            .map(|d| d.head.kind.as_str())
            .collect();
        assert_eq!(kinds, ["A", "B"]);
        assert!(Manifest::parse("").unwrap().is_empty());
    }

    #[test]
    fn an_error_in_a_stored_manifest_names_source_and_line() {
        let error = Manifest::parse("---\n# Source: w/templates/a.yaml\nkind: [\n").unwrap_err();
        assert!(
            matches!(&error, Error::Yaml { path, line: 3 | 4, .. } if path == "w/templates/a.yaml"),
            "{error:?}"
        );
    }
}
