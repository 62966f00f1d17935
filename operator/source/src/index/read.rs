//! Reading `index.yaml` with little memory.
//!
//! A tree of a 20 MiB index takes ten times its size, and nine tenths of it are descriptions, keywords and
//! maintainers that nobody asked for. So the text is cut at the lines where the next chart begins, and one chart at a
//! time is read by the real parser. Cutting is a guess about layout; when a piece does not read as exactly one
//! chart's list, the whole text is read at once, which is slower and always right.

use belay_yaml::{Map, Numbers, ParseOptions, Value};

use super::{Entry, Index};
use crate::error::Error;

/// Reads an index. `url` is for messages.
pub(crate) fn read(url: &str, text: &[u8]) -> Result<Index, Error> {
    match in_pieces(text) {
        Some(index) => Ok(index),
        None => whole(url, text),
    }
}

fn in_pieces(text: &[u8]) -> Option<Index> {
    let layout = Layout::of(text)?;
    // What stands around the entries must be a mapping by itself, of this one document.
    let frame = [layout.before, b"\n", layout.after].concat();
    let frame = parse(&frame).ok()?;
    let frame = frame.as_map()?;
    if frame.contains_key("entries") || api_version(frame).is_none() {
        return None;
    }
    let mut charts = Vec::new();
    for piece in layout.charts {
        let Ok(Value::Map(map)) = parse(piece) else {
            return None;
        };
        let mut map = map.into_iter();
        let (Some((name, versions)), None) = (map.next(), map.next()) else {
            return None;
        };
        charts.push((name, entries(&versions)?));
    }
    Some(Index::new(charts))
}

fn whole(url: &str, text: &[u8]) -> Result<Index, Error> {
    let bad = |line: Option<usize>, detail: String| Error::BadIndex {
        url: url.to_owned(),
        line,
        detail,
    };
    let tree = parse(text).map_err(|error| {
        let line = error
            .position()
            .and_then(|position| usize::try_from(position.line).ok());
        bad(line, error.to_string())
    })?;
    let frame = match &tree {
        Value::Map(frame) => frame,
        Value::Null => return Err(bad(None, "it is empty; run helm repo index".to_owned())),
        _ => {
            return Err(bad(
                Some(1),
                "it is no mapping; is a web page served in its place?".to_owned(),
            ));
        }
    };
    if api_version(frame).is_none() {
        return Err(bad(
            None,
            "it has no apiVersion; run helm repo index".to_owned(),
        ));
    }
    let charts = match frame.get("entries") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Map(charts)) => charts
            .iter()
            .map(|(name, versions)| {
                entries(versions)
                    .map(|entries| (name.clone(), entries))
                    .ok_or_else(|| {
                        bad(None, format!("entries.{name} is no list of chart versions"))
                    })
            })
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(bad(None, "entries is no mapping of chart names".to_owned())),
    };
    Ok(Index::new(charts))
}

fn parse(text: &[u8]) -> Result<Value, belay_yaml::Error> {
    // Exact numbers, so that a version that was written without quotes keeps its digits.
    belay_yaml::parse_with(
        text,
        &ParseOptions {
            numbers: Numbers::Exact,
            ..ParseOptions::default()
        },
    )
}

fn api_version(frame: &Map) -> Option<&str> {
    frame
        .get("apiVersion")?
        .as_str()
        .filter(|version| !version.is_empty())
}

/// The versions of one chart. An entry that cannot be used (null, without version or URL) is left out, as Helm does,
/// and does not hide the others.
fn entries(versions: &Value) -> Option<Vec<Entry>> {
    match versions {
        Value::Null => Some(Vec::new()),
        Value::Seq(items) => Some(items.iter().filter_map(entry).collect()),
        _ => None,
    }
}

fn entry(item: &Value) -> Option<Entry> {
    let urls: Box<[Box<str>]> = item
        .get("urls")?
        .as_seq()?
        .iter()
        .filter_map(|url| url.as_str().map(Box::from))
        .collect();
    if urls.is_empty() {
        return None;
    }
    Some(Entry {
        version: item.get("version")?.to_string_field()?.into(),
        digest: item.get("digest").and_then(digest),
        urls,
    })
}

/// What the index says of the digest, be it none: something that cannot be compared must fail later on, not pass.
fn digest(value: &Value) -> Option<Box<str>> {
    match value {
        Value::Null => None,
        Value::Str(text) if text.is_empty() => None,
        other => Some(
            other
                .to_string_field()
                .unwrap_or_else(|| "no text".to_owned())
                .into(),
        ),
    }
}

/// An index cut into its frame and its charts.
struct Layout<'a> {
    before: &'a [u8],
    charts: Vec<&'a [u8]>,
    after: &'a [u8],
}

impl<'a> Layout<'a> {
    /// Cuts a text in block style; `None` when it is laid out in another way.
    fn of(text: &'a [u8]) -> Option<Self> {
        let mut lines = Lines { text, at: 0 };
        let before = loop {
            let (start, line) = lines.next()?;
            if line.trim_ascii_end() == b"entries:" {
                break &text[..start];
            }
        };
        let mut starts = Vec::new();
        let mut indent = None;
        let end = loop {
            let Some((start, line)) = lines.next() else {
                break text.len();
            };
            let spaces = line.iter().take_while(|byte| **byte == b' ').count();
            match line.get(spaces) {
                // Blank lines and comments belong to whatever they stand in.
                None | Some(b'\r' | b'#') => {}
                Some(_) if spaces == 0 => break start,
                Some(first) => {
                    let indent = *indent.get_or_insert(spaces);
                    if spaces < indent || *first == b'\t' {
                        return None;
                    }
                    if spaces == indent && *first != b'-' {
                        starts.push(start);
                    }
                }
            }
        };
        let ends = starts.iter().skip(1).copied().chain([end]);
        let charts = starts
            .iter()
            .zip(ends)
            .map(|(start, end)| &text[*start..end])
            .collect();
        Some(Self {
            before,
            charts,
            after: &text[end..],
        })
    }
}

/// Lines without their line feed, and where they start.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (usize, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let length = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(rest.len());
        let start = self.at;
        self.at += length + 1;
        Some((start, &rest[..length]))
    }
}

#[cfg(test)]
mod tests;
