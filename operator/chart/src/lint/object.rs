//! What linting looks at in a Kubernetes object.

use belay_yaml::{Error, Numbers, ParseOptions, Value, documents, parse_json_with, parse_with};

use crate::decode::{Decode, DecodeError, Path};

/// The head of one object.
#[derive(Debug, Default)]
pub(super) struct Object {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) name: String,
}

impl Object {
    /// The objects of a file; nothing for documents without content. The first error is the last item.
    pub(super) fn all(source: &[u8]) -> Vec<Result<Option<Self>, String>> {
        // What begins like JSON is tried as JSON first; if it is neither, that is what is told.
        let text = String::from_utf8_lossy(source);
        let json = text
            .trim_start()
            .starts_with('{')
            .then(|| Self::json(source));
        match json {
            None => Self::yaml(source),
            Some(Ok(object)) => vec![Ok(Some(object))],
            Some(Err(told)) => match Self::yaml(source) {
                objects if objects.first().is_some_and(Result::is_err) => vec![Err(told)],
                objects => objects,
            },
        }
    }

    fn json(source: &[u8]) -> Result<Self, String> {
        let parsed = parse_json_with(source, Numbers::Exact).map_err(|error| match error {
            Error::Json { problem, offset } => {
                format!("json: offset {}: {problem}", offset + 1)
            }
            other => other.to_string(),
        })?;
        let mut first = None;
        let object = Self::decode(&parsed, &mut first);
        match first {
            None => Ok(object),
            Some(DecodeError::Type(text) | DecodeError::Rule(text)) => Err(text),
        }
    }

    fn yaml(source: &[u8]) -> Vec<Result<Option<Self>, String>> {
        let parts = match documents(source) {
            Ok(parts) => parts,
            Err(error) => return vec![Err(error.to_string())],
        };
        let mut objects = Vec::new();
        for part in parts {
            let object = Self::read(&part.text);
            let failed = object.is_err();
            objects.push(object);
            if failed {
                break;
            }
        }
        objects
    }

    fn read(text: &[u8]) -> Result<Option<Self>, String> {
        let options = ParseOptions {
            numbers: Numbers::Exact,
            ..ParseOptions::default()
        };
        let parsed = parse_with(text, &options).map_err(|error| error.to_string())?;
        if parsed.is_null() {
            return Ok(None);
        }
        let mut first = None;
        let object = Self::decode(&parsed, &mut first);
        match first {
            None => Ok(Some(object)),
            Some(DecodeError::Type(text) | DecodeError::Rule(text)) => Err(format!(
                "error unmarshaling JSON: while decoding JSON: {text}"
            )),
        }
    }

    fn decode(parsed: &Value, first: &mut Option<DecodeError>) -> Self {
        let mut object = Self::default();
        let root = Path::root("k8sYamlStruct", "rules.k8sYamlStruct");
        let metadata = root.inner("Metadata", "k8sYamlMetadata", "rules.k8sYamlMetadata");
        let mut namespace = String::new();
        for (key, value) in root.object(parsed, first).into_iter().flatten() {
            let mut field = Decode {
                path: &root,
                value,
                first,
            };
            match key.to_lowercase().as_str() {
                "apiversion" => field.text("apiVersion", &mut object.api_version),
                "kind" => field.text("Kind", &mut object.kind),
                "metadata" => {
                    for (key, value) in metadata.object(value, first).into_iter().flatten() {
                        let mut field = Decode {
                            path: &metadata,
                            value,
                            first,
                        };
                        match key.to_lowercase().as_str() {
                            "name" => field.text("Name", &mut object.name),
                            "namespace" => field.text("Namespace", &mut namespace),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        object
    }
}
