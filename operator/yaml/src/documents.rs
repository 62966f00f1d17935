use std::borrow::Cow;

use crate::Error;

/// One document of a text that holds several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document<'s> {
    /// Its text, each line ended by a line feed alone. A separator that opens the text belongs to it.
    pub text: Cow<'s, [u8]>,
    /// The line of the whole text, counted from 1, that its first line is.
    pub line: usize,
}

/// Splits a text into documents at lines that begin with `---`, as apimachinery's `YAMLReader` does when Helm
/// reads values files.
///
/// Splitting knows nothing of YAML: a `---` at the start of a line inside a block scalar separates as well. What
/// is all comments is a document too; callers skip what parses to null.
///
/// # Errors
/// [`Error::Separator`] when more than blanks and a comment follow the `---`.
pub fn documents(source: &[u8]) -> Result<Vec<Document<'_>>, Error> {
    let mut found = Vec::new();
    let (mut start, mut first_line, mut offset) = (0, 1, 0);
    for (index, line) in source.split_inclusive(|b| *b == b'\n').enumerate() {
        if let Some(rest) = line.strip_prefix(b"---") {
            let rest = String::from_utf8_lossy(rest);
            let rest = rest.trim();
            if !rest.is_empty() && !rest.starts_with('#') {
                return Err(Error::Separator(rest.to_owned()));
            }
            if offset > start {
                found.push(document(&source[start..offset], first_line));
                start = offset + line.len();
                first_line = index + 2;
            }
        }
        offset += line.len();
    }
    if start < source.len() {
        found.push(document(&source[start..], first_line));
    }
    Ok(found)
}

fn document(text: &[u8], line: usize) -> Document<'_> {
    let complete = text.ends_with(b"\n") && !text.windows(2).any(|pair| pair == b"\r\n");
    if complete {
        return Document {
            text: Cow::Borrowed(text),
            line,
        };
    }
    let mut owned = Vec::with_capacity(text.len() + 1);
    for content in text.split_inclusive(|b| *b == b'\n') {
        let content = content.strip_suffix(b"\n").unwrap_or(content);
        owned.extend_from_slice(content.strip_suffix(b"\r").unwrap_or(content));
        owned.push(b'\n');
    }
    Document {
        text: Cow::Owned(owned),
        line,
    }
}
