//! What is wrong with a schema itself, in the words of the validator that Helm uses.

use boon::CompileError;

use super::report::{quote, report};

/// Why nothing can be held against the schema whose top names this dialect.
pub(super) fn text(error: &CompileError, dialect: Option<&str>) -> String {
    match error {
        CompileError::ParseUrlError { url, src } => format!("error in parsing {url:?}: {src}"),
        CompileError::LoadUrlError { url, src } => format!("failing loading {url:?}: {src}"),
        CompileError::UnsupportedUrlScheme { url } => not_loadable(url),
        CompileError::InvalidMetaSchemaUrl { url, src } => match dialect {
            Some(dialect) => {
                format!("failing loading {dialect:?}: {}", not_loadable(dialect))
            }
            None => format!("invalid $schema in {url:?}: {src}"),
        },
        CompileError::UnsupportedDraft { url } => format!("draft {url:?} is not supported"),
        CompileError::MetaSchemaCycle { url } => format!("cycle in resolving $schema in {url:?}"),
        CompileError::ValidationError { url, src } => format!(
            "{url:?} is not valid against metaschema: jsonschema validation failed with {}\n{}",
            quote(src.schema_url),
            report(src)
        ),
        CompileError::ParseIdError { loc } => format!("error in parsing id at {loc:?}"),
        CompileError::ParseAnchorError { loc } => format!("error in parsing anchor at {loc:?}"),
        CompileError::DuplicateId {
            url,
            id,
            ptr1,
            ptr2,
        } => format!("duplicate id {id:?} in {url:?} at {ptr1:?} and {ptr2:?}"),
        CompileError::DuplicateAnchor {
            anchor,
            url,
            ptr1,
            ptr2,
        } => format!("duplicate anchor {anchor:?} in {url:?} at {ptr1:?} and {ptr2:?}"),
        CompileError::InvalidJsonPointer(place) => format!("invalid json-pointer {place:?}"),
        CompileError::JsonPointerNotFound(place) => {
            format!("json-pointer in {place:?} not found")
        }
        CompileError::AnchorNotFound { url, reference } => {
            format!("anchor in {reference:?} not found in schema {url:?}")
        }
        CompileError::UnsupportedVocabulary { url, vocabulary } => {
            format!("unsupported vocabulary {vocabulary:?} in {url:?}")
        }
        CompileError::InvalidRegex { url, regex, src } => {
            format!("invalid regex {regex:?} at {url:?}: {src}")
        }
        CompileError::Bug(_) => error.to_string(),
    }
}

/// Why a text is no schema: Helm reads it as a stream that holds one.
pub(super) fn syntax(error: &belay_yaml::Error, schema: &[u8]) -> String {
    match error {
        belay_yaml::Error::Json { problem, .. } if problem == "unexpected end of JSON input" => {
            let is_empty = schema.trim_ascii().is_empty();
            if is_empty { "EOF" } else { "unexpected EOF" }.to_owned()
        }
        belay_yaml::Error::Json { problem, .. } if problem.ends_with(" after top-level value") => {
            "invalid character after top-level value".to_owned()
        }
        _ => error.to_string(),
    }
}

/// Helm reads files and the web, and knows what a URN is.
pub(super) fn not_loadable(url: &str) -> String {
    format!("no URLLoader registered for {url:?}")
}
