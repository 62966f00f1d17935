//! From text to values.

mod compose;
mod decode;
mod events;
mod harmless;
mod outline;
mod paths;
mod reader;
mod resolve;
mod scalar_number;
mod scan;
mod timestamp;

use paths::Paths;
use reader::Readable;
pub(crate) use resolve::{Dialect, Resolved, is_base60, resolve};

use crate::{Error, Limits, Map, Value};

/// What becomes of integers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Numbers {
    /// Every number is a `float64`, as in Helm's values: Go decodes JSON into `any` so. Integers of more than 53
    /// bits lose digits.
    #[default]
    Float,
    /// Integers stay integers, as `YAMLToJSON` leaves them: for manifests and for what becomes a struct.
    Exact,
}

/// How to read a document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ParseOptions {
    /// What becomes of integers.
    pub numbers: Numbers,
    /// Whether a key set twice in one mapping is an error, as in `UnmarshalStrict`; else the later one wins.
    pub strict: bool,
    /// How much the document may ask for.
    pub limits: Limits,
}

/// The first document of a text, as `sigs.k8s.io/yaml`'s `Unmarshal` reads it into `any`: all numbers are floats.
/// Text without a document is null.
///
/// # Errors
/// When the text is not YAML, has no counterpart in JSON or exceeds the default [`Limits`].
pub fn parse(source: &[u8]) -> Result<Value, Error> {
    parse_with(source, &ParseOptions::default())
}

/// As [`parse`], with the given options.
///
/// # Errors
/// As [`parse`]; with `strict` also [`Error::DuplicateKeys`].
pub fn parse_with(source: &[u8], options: &ParseOptions) -> Result<Value, Error> {
    read(source, options, None)
}

/// As [`parse_with`], but of the topmost mapping and of those on the way only what lies on or below one of the `paths`
/// is kept. The rest of the document is checked all the same, and costs no values. Keys count in letters of either
/// case, as Go's decoder takes them for fields.
///
/// ```
/// use belay_yaml::{ParseOptions, parse_paths, to_json};
///
/// let text = b"kind: Pod\nmetadata: {name: a, labels: {b: c}}\nspec: {containers: []}\n";
/// let head = parse_paths(text, &ParseOptions::default(), &[&["kind"], &["metadata", "name"]])?;
/// assert_eq!(to_json(&head)?, r#"{"kind":"Pod","metadata":{"name":"a"}}"#);
/// # Ok::<(), belay_yaml::Error>(())
/// ```
///
/// # Errors
/// As [`parse_with`] for the whole document.
pub fn parse_paths(
    source: &[u8],
    options: &ParseOptions,
    paths: &[&[&str]],
) -> Result<Value, Error> {
    read(source, options, Some(Paths::new(paths)))
}

fn read(source: &[u8], options: &ParseOptions, wanted: Option<Paths<'_>>) -> Result<Value, Error> {
    if source.len() > options.limits.source_bytes {
        return Err(Error::Limit {
            what: "bytes",
            limit: options.limits.source_bytes,
        });
    }
    let readable = reader::read(source);
    if let Some(paths) = &wanted
        && let Some(lines) = plain_lines(&readable, options, paths)
    {
        let plain = whole(&reader::read(lines.as_bytes()), options, wanted.clone());
        // Nothing in it can be wrong. If it is, the document says it best.
        if plain.is_ok() {
            return plain;
        }
    }
    whole(&readable, options, wanted)
}

fn whole(
    readable: &Readable<'_>,
    options: &ParseOptions,
    wanted: Option<Paths<'_>>,
) -> Result<Value, Error> {
    let tree = compose::first_document(readable, &options.limits)?;
    decode::decode(tree, options, wanted)
}

/// The lines of a plain document that hold what is wanted, see [`outline`].
fn plain_lines(
    readable: &Readable<'_>,
    options: &ParseOptions,
    wanted: &Paths<'_>,
) -> Option<String> {
    let counts = options.strict || options.limits.depth < Limits::DEFAULT.depth;
    if counts || readable.refused.is_some() {
        return None;
    }
    outline::wanted_lines(&readable.text, wanted)
}

/// As [`parse`] into an empty `map[string]any`, which null and a text without a document leave empty.
///
/// # Errors
/// As [`parse`], and [`Error::Shape`] when the document is not a mapping.
pub fn parse_map(source: &[u8]) -> Result<Map, Error> {
    match parse(source)? {
        Value::Map(entries) => Ok(entries),
        Value::Null => Ok(Map::new()),
        other => Err(Error::Shape(crate::json::mismatch(
            &other,
            "map[string]interface {}",
        ))),
    }
}

/// As [`parse`] into an empty `[]any`, which null and a text without a document leave empty.
///
/// # Errors
/// As [`parse`], and [`Error::Shape`] when the document is not a sequence.
pub fn parse_seq(source: &[u8]) -> Result<Vec<Value>, Error> {
    match parse(source)? {
        Value::Seq(items) => Ok(items),
        Value::Null => Ok(Vec::new()),
        other => Err(Error::Shape(crate::json::mismatch(
            &other,
            "[]interface {}",
        ))),
    }
}
