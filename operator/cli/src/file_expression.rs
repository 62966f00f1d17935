//! `--set-file` and `--set-literal` for a HelmRelease, which knows neither: the same as `setString` expressions.

use crate::error::Error;
use crate::locate;

/// `key=path,…` with the files' content in place of their paths.
pub(crate) fn of_files(expression: &str) -> Result<String, Error> {
    let mut parts = Vec::new();
    for part in split(expression) {
        let (key, path) = part.split_once('=').ok_or_else(|| {
            Error::Template(format!("--set-file {expression:?}: write it as key=path"))
        })?;
        if path.starts_with('{') {
            return Err(Error::Template(format!(
                "--set-file {expression:?}: give the files of a list one by one, as {key}[0]=path"
            )));
        }
        let content = locate::read(path).map_err(Error::Template)?;
        let content = String::from_utf8(content).map_err(|_| {
            Error::Template(format!(
                "--set-file {expression:?}: {path} is no UTF-8, and values are text"
            ))
        })?;
        parts.push(format!("{key}={}", escaped(&content)));
    }
    Ok(parts.join(","))
}

/// `key=text` with the text as it is.
pub(crate) fn of_literal(expression: &str) -> Result<String, Error> {
    let (key, text) = expression.split_once('=').ok_or_else(|| {
        Error::Template(format!(
            "--set-literal {expression:?}: write it as key=text"
        ))
    })?;
    let key = key.replace('\\', "\\\\").replace(',', "\\,");
    Ok(format!("{key}={}", escaped(text)))
}

/// The parts between commas that no backslash takes back.
fn split(expression: &str) -> Vec<&str> {
    let (mut parts, mut start, mut escape) = (Vec::new(), 0, false);
    for (at, c) in expression.char_indices() {
        match c {
            _ if escape => escape = false,
            '\\' => escape = true,
            ',' => {
                parts.push(&expression[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&expression[start..]);
    parts
}

/// As a value that reads back as the text.
fn escaped(text: &str) -> String {
    let mut out = text.replace('\\', "\\\\").replace(',', "\\,");
    if out.starts_with('{') {
        out.insert(0, '\\');
    }
    out
}

#[cfg(test)]
mod tests {
    use belay_chart::{Values, strvals};

    use super::*;

    fn read(expression: &str) -> belay_yaml::Value {
        let mut values = Values::new();
        strvals::set_string(expression, &mut values).unwrap();
        belay_yaml::Value::Map(values)
    }

    #[test]
    fn content_and_literals_come_back_as_they_were() {
        let odd = "{\"a\": [1, 2]}\n  back\\slash, {{ x }} = é\n";
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("odd.txt");
        std::fs::write(&path, odd).unwrap();

        let of_file = read(&of_files(&format!("a.b={0},c[0]={0}", path.display())).unwrap());
        let of_text = read(&of_literal(&format!("a.b={odd}")).unwrap());

        assert_eq!(of_file.at(&["a", "b"]).unwrap().as_str(), Some(odd));
        assert_eq!(
            of_file.get("c").unwrap().as_seq().unwrap()[0].as_str(),
            Some(odd)
        );
        assert_eq!(of_text.at(&["a", "b"]).unwrap().as_str(), Some(odd));
    }

    #[test]
    fn what_is_missing_is_told() {
        assert!(of_files("a").is_err());
        assert!(of_literal("a").is_err());
        let error = of_files("a=/does/not/exist").unwrap_err().to_string();
        assert!(error.contains("/does/not/exist"), "{error}");
    }
}
