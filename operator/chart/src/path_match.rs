//! Shell patterns as Go's `path.Match` reads them.

/// A pattern that cannot be read: an open bracket, an empty range or a dangling escape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadPattern;

/// Whether the whole of `name` matches `pattern`.
///
/// `*` and `?` stop at `/`, `[a-z]` and `[^a-z]` are classes, `\` takes the next
/// character literally.
///
/// # Errors
/// [`BadPattern`] where Go answers `syntax error in pattern`. As in Go the error is only
/// seen when the matcher reaches the broken part.
pub fn path_match(pattern: &str, name: &str) -> Result<bool, BadPattern> {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    matches(&pattern, &name)
}

fn matches(mut pattern: &[char], mut name: &[char]) -> Result<bool, BadPattern> {
    while !pattern.is_empty() {
        let (star, chunk, rest) = next_chunk(pattern);
        pattern = rest;
        if star && chunk.is_empty() {
            return Ok(!name.contains(&'/'));
        }
        let here = match_chunk(chunk, name)?;
        if let Some(after) = here.filter(|after| after.is_empty() || !pattern.is_empty()) {
            name = after;
            continue;
        }
        if star {
            match after_star(chunk, name, pattern.is_empty())? {
                Some(after) => {
                    name = after;
                    continue;
                }
                None => return reject(pattern),
            }
        }
        return reject(pattern);
    }
    Ok(name.is_empty())
}

/// A mismatch is only an answer if the rest of the pattern could be read.
fn reject(mut pattern: &[char]) -> Result<bool, BadPattern> {
    while !pattern.is_empty() {
        let (_, chunk, rest) = next_chunk(pattern);
        match_chunk(chunk, &[])?;
        pattern = rest;
    }
    Ok(false)
}

fn after_star<'n>(
    chunk: &[char],
    name: &'n [char],
    last: bool,
) -> Result<Option<&'n [char]>, BadPattern> {
    for skipped in 0..name.len() {
        if name[skipped] == '/' {
            break;
        }
        if let Some(after) = match_chunk(chunk, &name[skipped + 1..])? {
            if last && !after.is_empty() {
                continue;
            }
            return Ok(Some(after));
        }
    }
    Ok(None)
}

/// Splits off leading stars and the piece up to the next star.
fn next_chunk(pattern: &[char]) -> (bool, &[char], &[char]) {
    let stars = pattern.iter().take_while(|c| **c == '*').count();
    let rest = &pattern[stars..];
    let mut in_class = false;
    let mut at = 0;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 1,
            '[' => in_class = true,
            ']' => in_class = false,
            '*' if !in_class => break,
            _ => {}
        }
        at += 1;
    }
    let at = at.min(rest.len());
    (stars > 0, &rest[..at], &rest[at..])
}

/// What is left of `name` after `chunk`, or `None` when it does not match.
fn match_chunk<'n>(chunk: &[char], name: &'n [char]) -> Result<Option<&'n [char]>, BadPattern> {
    let mut chunk = chunk;
    let mut name = Some(name);
    while let Some((&head, tail)) = chunk.split_first() {
        // A failed match still reads on, to find a broken pattern.
        let current = name.and_then(|n| n.split_first());
        match head {
            '[' => {
                let (inside, after) = match_class(tail, current.map(|(c, _)| *c))?;
                chunk = after;
                name = current.filter(|_| inside).map(|(_, n)| n);
            }
            '?' => {
                chunk = tail;
                name = current.filter(|(c, _)| **c != '/').map(|(_, n)| n);
            }
            _ => {
                let (literal, after) = if head == '\\' {
                    tail.split_first().ok_or(BadPattern)?
                } else {
                    (&chunk[0], tail)
                };
                chunk = after;
                name = current.filter(|(c, _)| *c == literal).map(|(_, n)| n);
            }
        }
    }
    Ok(name)
}

fn match_class(class: &[char], c: Option<char>) -> Result<(bool, &[char]), BadPattern> {
    let negated = class.first() == Some(&'^');
    let mut rest = if negated { &class[1..] } else { class };
    let mut found = false;
    let mut ranges = 0;
    loop {
        if ranges > 0 && rest.first() == Some(&']') {
            return Ok((found != negated, &rest[1..]));
        }
        let (low, after) = class_char(rest)?;
        rest = after;
        let mut high = low;
        if rest.first() == Some(&'-') {
            (high, rest) = class_char(&rest[1..])?;
        }
        found |= c.is_some_and(|c| low <= c && c <= high);
        ranges += 1;
    }
}

fn class_char(rest: &[char]) -> Result<(char, &[char]), BadPattern> {
    let (first, after) = rest.split_first().ok_or(BadPattern)?;
    let (c, after) = match first {
        '-' | ']' => return Err(BadPattern),
        '\\' => after.split_first().ok_or(BadPattern)?,
        _ => (first, after),
    };
    // A class must be closed after this character.
    if after.is_empty() {
        return Err(BadPattern);
    }
    Ok((*c, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_classes_stop_at_slashes() {
        for (pattern, name, expected) in [
            ("*.yaml", "a.yaml", true),
            ("*.yaml", "d/a.yaml", false),
            ("d/*", "d/a.yaml", true),
            ("a[b-d]e", "ace", true),
            ("a[^b-d]e", "ace", false),
            ("a?c", "a/c", false),
            ("\\*", "*", true),
            ("*", "", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXbY", false),
            ("templates/.?*", "templates/.x", true),
            ("templates/.?*", "templates/.", false),
        ] {
            assert_eq!(
                path_match(pattern, name),
                Ok(expected),
                "{pattern} on {name}"
            );
        }
    }

    #[test]
    fn broken_patterns_are_told_apart_from_mismatches() {
        for pattern in ["[", "a[", "[]a]", "[-]", "a\\", "[a-"] {
            assert_eq!(path_match(pattern, "a"), Err(BadPattern), "{pattern}");
        }
    }
}
