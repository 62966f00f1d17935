//! JSON path templates as kubectl has them, without filters and unions: `{.a.b}`, `{.list[0]['key']}`, `{..name}`,
//! `{range .list[*]}{@.name}{"\n"}{end}`.

use belay_yaml::{Value, float_g};

/// A parsed template.
#[derive(Debug, PartialEq)]
pub(super) struct JsonPath {
    parts: Vec<Part>,
}

#[derive(Debug, PartialEq)]
enum Part {
    Text(String),
    Path(Vec<Step>),
    Range(Vec<Step>, Vec<Part>),
}

#[derive(Debug, PartialEq)]
enum Step {
    Key(String),
    /// From where to where; negative numbers count from the end.
    Slice(Option<i64>, Option<i64>),
    Index(i64),
    All,
    Below,
}

impl JsonPath {
    pub(super) fn parse(template: &str) -> Result<Self, String> {
        let mut reader = Reader { rest: template };
        let parts = reader.parts(false)?;
        Ok(Self { parts })
    }

    /// The template's text for a value; nothing when it asks for what is not there.
    pub(super) fn print(&self, value: &Value) -> Option<String> {
        let mut out = String::new();
        print(&self.parts, value, &mut out)?;
        Some(out)
    }
}

fn print(parts: &[Part], value: &Value, out: &mut String) -> Option<()> {
    for part in parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Path(steps) => {
                let found: Vec<String> = follow(steps, value)?.into_iter().map(shown).collect();
                out.push_str(&found.join(" "));
            }
            Part::Range(steps, inner) => {
                for item in follow(steps, value)? {
                    print(inner, item, out)?;
                }
            }
        }
    }
    Some(())
}

fn follow<'v>(steps: &[Step], value: &'v Value) -> Option<Vec<&'v Value>> {
    let mut found = vec![value];
    for step in steps {
        let mut next = Vec::new();
        for value in found {
            match step {
                Step::Key(key) => match value {
                    // Where a list was descended into, what lacks the key is passed over.
                    Value::Map(entries) => match entries.get(key) {
                        Some(value) => next.push(value),
                        None if steps.contains(&Step::Below) => {}
                        None => return None,
                    },
                    _ if steps.contains(&Step::Below) => {}
                    _ => return None,
                },
                Step::Index(index) => next.push(item(value.as_seq()?, *index)?),
                Step::Slice(from, to) => {
                    let items = value.as_seq()?;
                    let at = |index: i64| {
                        let length = items.len() as i64;
                        let index = if index < 0 { index + length } else { index };
                        index.clamp(0, length) as usize
                    };
                    let (from, to) = (at(from.unwrap_or(0)), to.map_or(items.len(), at));
                    next.extend(items.get(from..to).unwrap_or_default());
                }
                Step::All => match value {
                    Value::Seq(items) => next.extend(items),
                    Value::Map(entries) => next.extend(entries.values()),
                    _ => {}
                },
                Step::Below => below(value, &mut next),
            }
        }
        found = next;
    }
    Some(found)
}

fn item(items: &[Value], index: i64) -> Option<&Value> {
    let index = if index < 0 {
        index + items.len() as i64
    } else {
        index
    };
    items.get(usize::try_from(index).ok()?)
}

/// The value and everything in it.
fn below<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    found.push(value);
    match value {
        Value::Seq(items) => items.iter().for_each(|item| below(item, found)),
        Value::Map(entries) => entries.values().for_each(|item| below(item, found)),
        _ => {}
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Str(text) => text.clone(),
        Value::Float(number) => float_g(*number),
        other => belay_yaml::to_json(other).unwrap_or_default(),
    }
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn parts(&mut self, within: bool) -> Result<Vec<Part>, String> {
        let mut parts = Vec::new();
        while !self.rest.is_empty() {
            let Some((text, after)) = self.rest.split_once('{') else {
                parts.push(Part::Text(self.rest.to_owned()));
                self.rest = "";
                break;
            };
            if !text.is_empty() {
                parts.push(Part::Text(text.to_owned()));
            }
            let end = end(after).ok_or("unclosed action")?;
            let action = after[..end].trim();
            self.rest = &after[end + 1..];
            if action == "end" {
                return if within {
                    Ok(parts)
                } else {
                    Err("not in range, nothing to end".to_owned())
                };
            }
            if let Some(path) = action.strip_prefix("range ") {
                let path = steps(path.trim())?;
                parts.push(Part::Range(path, self.parts(true)?));
            } else if action.starts_with(['"', '\'']) {
                parts.push(Part::Text(quoted(action)?));
            } else {
                parts.push(Part::Path(steps(action)?));
            }
        }
        if within {
            return Err("unclosed range".to_owned());
        }
        Ok(parts)
    }
}

/// Where the action ends: at the first brace outside of quotes.
fn end(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '}') => return Some(at),
            _ => {}
        }
    }
    None
}

fn quoted(text: &str) -> Result<String, String> {
    let inner = text
        .get(1..text.len().saturating_sub(1))
        .filter(|_| text.len() >= 2 && text.ends_with(&text[..1]))
        .ok_or("unterminated quoted string")?;
    let mut out = String::new();
    let mut letters = inner.chars();
    while let Some(c) = letters.next() {
        out.push(match c {
            '\\' => match letters.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some(c) => c,
                None => return Err("invalid syntax".to_owned()),
            },
            c => c,
        });
    }
    Ok(out)
}

fn steps(path: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut rest = path.strip_prefix(['$', '@']).unwrap_or(path);
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("..") {
            steps.push(Step::Below);
            let (name, after) = name(after);
            if !name.is_empty() {
                steps.push(Step::Key(name));
            }
            rest = after;
        } else if let Some(after) = rest.strip_prefix('.') {
            let (name, after) = name(after);
            match name.as_str() {
                "" => {}
                "*" => steps.push(Step::All),
                _ => steps.push(Step::Key(name)),
            }
            rest = after;
        } else if let Some(after) = rest.strip_prefix('[') {
            let (inside, after) = after.split_once(']').ok_or("unterminated array")?;
            steps.push(subscript(inside.trim())?);
            rest = after;
        } else {
            return Err(format!("unrecognized identifier {rest}"));
        }
    }
    Ok(steps)
}

/// A name up to the next step; a backslash takes the next character as it is.
fn name(text: &str) -> (String, &str) {
    let mut name = String::new();
    let mut letters = text.char_indices();
    while let Some((at, c)) = letters.next() {
        match c {
            '.' | '[' => return (name, &text[at..]),
            '\\' => name.extend(letters.next().map(|(_, c)| c)),
            c => name.push(c),
        }
    }
    (name, "")
}

fn subscript(text: &str) -> Result<Step, String> {
    let number = |text: &str| text.trim().parse::<i64>().ok();
    if text == "*" {
        return Ok(Step::All);
    }
    if text.starts_with(['\'', '"']) {
        return Ok(Step::Key(quoted(text)?));
    }
    if let Some(index) = number(text) {
        return Ok(Step::Index(index));
    }
    match text.split_once(':') {
        Some((from, to)) if !to.contains(':') => Ok(Step::Slice(number(from), number(to))),
        _ => Err(format!("invalid array index {text}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(template: &str) -> String {
        let values =
            belay_yaml::parse(b"a: b\nc: {d: [1, 2, {e: 5}], f: 1.5, h: null, 'x.y': z}").unwrap();
        JsonPath::parse(template)
            .unwrap()
            .print(&values)
            .unwrap_or_default()
    }

    #[test]
    fn paths_lead_to_values_and_text_stays() {
        assert_eq!(shown("{.a}"), "b");
        assert_eq!(shown("{.c.d}"), "[1,2,{\"e\":5}]");
        assert_eq!(shown("x{.c.d[2].e}y{$.c['f']}"), "x5y1.5");
        assert_eq!(
            shown("{.c.d[*]}|{.c.d[-1]}|{.c.d[0:2]}"),
            "1 2 {\"e\":5}|{\"e\":5}|1 2"
        );
        assert_eq!(shown("{..e}{.c.h}{.c.x\\.y}"), "5nullz");
        assert_eq!(
            shown("{range .c.d[*]}{@}{\"\\n\"}{end}"),
            "1\n2\n{\"e\":5}\n"
        );
        assert_eq!(shown("a{.nope}"), "");
        assert_eq!(shown(".a"), ".a");
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        assert_eq!(JsonPath::parse("{.a"), Err("unclosed action".to_owned()));
        assert!(JsonPath::parse("{.a[x]}").is_err());
        assert!(JsonPath::parse("{range .a}").is_err());
    }
}
