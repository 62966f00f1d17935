//! A rendered file into documents, exactly as Helm 4.2.3 does it, and a stored manifest as apimachinery does.

/// The documents of a rendered file, each with its first line in that file, counted from 1.
///
/// A separator is `---` at the start of the text or of a line, whatever follows it on the line, with all white space
/// around: a document keeps no white space at its start, and at its end only if it is the file's last. After a
/// separator the next `---` counts only when a line break stands before it, so that of two separators in a row the
/// second belongs to the document. Documents of nothing but white space are left out, those of comments are not.
pub fn split_manifests(file: &str) -> Vec<(usize, &str)> {
    let start = file.len() - file.trim_start().len();
    let mut documents = Vec::new();
    let mut from = start;
    let mut separator = separator_at_start(file, start);
    // Counted on from one document to the next: a large file has thousands of them.
    let (mut counted, mut line) = (0, 1);
    loop {
        if let Some((_, end)) = separator.filter(|(begin, _)| *begin == start) {
            from = end;
        }
        let next = next_separator(file, from);
        let until = next.map_or(file.len(), |(begin, _)| begin);
        let piece = &file[from..until];
        let text = piece.trim_start();
        if !text.is_empty() {
            let begin = until - text.len();
            line += memchr::memchr_iter(b'\n', &file.as_bytes()[counted..begin]).count();
            counted = begin;
            documents.push((line, text));
        }
        match next {
            Some((_, end)) => from = end,
            None => return documents,
        }
        separator = None;
    }
}

/// The first separator may stand at the very start, without a line break before it.
fn separator_at_start(file: &str, start: usize) -> Option<(usize, usize)> {
    file[start..]
        .starts_with("---")
        .then(|| (start, skip_space(file, start + 3)))
}

/// The next separator at or after `from`, with the white space around it.
fn next_separator(file: &str, from: usize) -> Option<(usize, usize)> {
    let line_break = from + memchr::memmem::find(&file.as_bytes()[from..], b"\n---")?;
    let begin = from
        + file[from..line_break]
            .trim_end_matches(is_regex_space)
            .len();
    Some((begin, skip_space(file, line_break + 4)))
}

fn skip_space(file: &str, from: usize) -> usize {
    file.len() - file[from..].trim_start_matches(is_regex_space).len()
}

/// The pieces of a stored manifest, each with its first line, counted from 1. Only a line of `---` and nothing but
/// white space or a comment separates; what stands between two of them is left as it is.
pub(crate) fn split_stored(manifest: &str) -> Vec<(usize, &str)> {
    let mut pieces = Vec::new();
    let (mut begin, mut first_line, mut offset) = (0, 1, 0);
    for (index, line) in manifest.split_inclusive('\n').enumerate() {
        let separates = line.strip_prefix("---").is_some_and(|rest| {
            let rest = rest.trim();
            rest.is_empty() || rest.starts_with('#')
        });
        if separates {
            pieces.push((first_line, &manifest[begin..offset]));
            begin = offset + line.len();
            first_line = index + 2;
        }
        offset += line.len();
    }
    pieces.push((first_line, &manifest[begin..]));
    pieces.retain(|(_, piece)| !piece.trim().is_empty());
    pieces
}

/// What `\s` means in Go's regular expressions; less than what Unicode calls white space.
fn is_regex_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(file: &str) -> Vec<&str> {
        split_manifests(file)
            .into_iter()
            .map(|(_, text)| text)
            .collect()
    }

    #[test]
    fn white_space_at_the_end_survives_only_in_the_last_document() {
        assert_eq!(
            texts("\n\na: 1\n\n---\n\n b: 2 \n\n"),
            ["a: 1", "b: 2 \n\n"]
        );
    }

    #[test]
    fn a_separator_counts_whatever_follows_it_on_its_line() {
        assert_eq!(texts("a: 1\n--- # two\nb: 2"), ["a: 1", "# two\nb: 2"]);
        assert_eq!(texts("a: 1\n---b: 2"), ["a: 1", "b: 2"]);
        assert_eq!(texts("a: 1\n----\nb: 2"), ["a: 1", "-\nb: 2"]);
    }

    #[test]
    fn three_dashes_inside_a_line_do_not_separate() {
        assert_eq!(
            texts("a: x---y\nb: |\n  ---\n"),
            ["a: x---y\nb: |\n  ---\n"]
        );
    }

    #[test]
    fn of_two_separators_in_a_row_the_second_stays_with_its_document() {
        assert_eq!(texts("---\n---\na: 1"), ["---\na: 1"]);
        assert_eq!(texts("---\n\n---\na: 1"), ["---\na: 1"]);
        assert_eq!(texts("a: 1\n---\n---\nb: 2"), ["a: 1", "---\nb: 2"]);
    }

    #[test]
    fn nothing_but_white_space_is_no_document_but_a_comment_is() {
        assert_eq!(texts(""), [""; 0]);
        assert_eq!(texts(" \n\t\n"), [""; 0]);
        assert_eq!(texts("---\n"), [""; 0]);
        assert_eq!(texts("# only\n---\na: 1\n---\n  \n"), ["# only", "a: 1"]);
    }

    #[test]
    fn each_document_knows_its_line() {
        assert_eq!(
            split_manifests("\n\n---\na: 1\n\n---\n\n\nb: 2\n"),
            [(4, "a: 1"), (9, "b: 2\n")]
        );
    }
}
