//! Reading a template.

use belay_template::fmt::unquoted;
use belay_yaml::Value;

use super::{End, Filter, Part, Slice, Step};

/// The texts and actions of a template.
pub(super) fn parts(template: &str) -> Result<Vec<Part>, String> {
    let mut reader = Reader { rest: template };
    let mut parts = Vec::new();
    while !reader.rest.is_empty() {
        let text = reader.take(reader.rest.find('{').unwrap_or(reader.rest.len()));
        if !text.is_empty() {
            parts.push(Part::Text(text.to_owned()));
        }
        if reader.skip("{") {
            parts.push(Part::Action(reader.action()?));
        }
    }
    Ok(parts)
}

/// The steps of a text that stands for an action of its own.
fn action(text: &str) -> Result<Vec<Step>, String> {
    let action = format!("{{{text}}}");
    match parts(&action)?.into_iter().next() {
        Some(Part::Action(steps)) => Ok(steps),
        _ => Ok(Vec::new()),
    }
}

struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn take(&mut self, bytes: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        taken
    }

    fn skip(&mut self, prefix: &str) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// What lies before the next character that ends a name; a backslash takes the next one as it is.
    fn name(&mut self) -> &'t str {
        let mut letters = self.rest.char_indices();
        while let Some((at, c)) = letters.next() {
            if c == '\\' {
                letters.next();
            } else if ends_name(c) {
                return self.take(at);
            }
        }
        self.take(self.rest.len())
    }

    /// The steps up to the brace that ends the action.
    fn action(&mut self) -> Result<Vec<Step>, String> {
        let mut steps = Vec::new();
        loop {
            if self.skip("}") {
                return Ok(steps);
            }
            if self.skip("[?(") {
                steps.push(self.filter()?);
                continue;
            }
            if self.skip("..") {
                if steps.last() == Some(&Step::Below) {
                    return Err("invalid multiple recursive descent".to_owned());
                }
                steps.push(Step::Below);
                if self.rest.starts_with(begins_word) {
                    steps.push(self.field());
                }
                continue;
            }
            let first = self.rest.chars().next();
            match first {
                None | Some('\r' | '\n') => return Err("unclosed action".to_owned()),
                Some(' ' | '@' | '$') => {
                    self.take(1);
                }
                Some('[') => self.subscript(&mut steps)?,
                Some(quote @ ('"' | '\'')) => steps.push(Step::Text(self.quoted(quote)?)),
                Some('.') => {
                    self.take(1);
                    steps.push(self.field());
                }
                Some(c) if matches!(c, '+' | '-') || c.is_numeric() => {
                    steps.push(Step::Literal(self.number()?));
                }
                Some(c) if begins_word(c) => steps.push(match self.name() {
                    "true" => Step::Literal(Value::Bool(true)),
                    "false" => Step::Literal(Value::Bool(false)),
                    word => Step::Word(word.to_owned()),
                }),
                Some(c) => {
                    let code = u32::from(c);
                    return Err(format!(
                        "unrecognized character in action: U+{code:04X} '{c}'"
                    ));
                }
            }
        }
    }

    fn field(&mut self) -> Step {
        match self.name() {
            "*" => Step::All,
            name => Step::Field(name.replace('\\', "")),
        }
    }

    fn number(&mut self) -> Result<Value, String> {
        let sign = usize::from(self.rest.starts_with(['+', '-']));
        let is_part = |c: char| c == '.' || c.is_numeric();
        let end = self.rest[sign..].find(|c| !is_part(c));
        let text = self.take(end.map_or(self.rest.len(), |end| sign + end));
        let whole = text.parse().ok().map(Value::Int);
        whole
            .or_else(|| text.parse().ok().map(Value::Float))
            .ok_or_else(|| format!("cannot parse number {text}"))
    }

    fn quoted(&mut self, quote: char) -> Result<String, String> {
        let mut before = quote;
        for (at, c) in self.rest.char_indices().skip(1) {
            match c {
                '\n' => break,
                c if c == quote && before != '\\' => {
                    let text = self.take(at + 1);
                    let plain = unquoted(text.as_bytes())
                        .ok_or_else(|| format!("unquote string {text} error invalid syntax"))?;
                    return Ok(String::from_utf8_lossy(&plain).into_owned());
                }
                c => before = c,
            }
        }
        Err("unterminated quoted string".to_owned())
    }

    /// `[…]`: a key, an index, a slice, or several of them.
    fn subscript(&mut self, steps: &mut Vec<Step>) -> Result<(), String> {
        let end = self.rest.find([']', '\n']);
        let end = end.filter(|at| self.rest[*at..].starts_with(']'));
        let text = self.take(end.ok_or("unterminated array")? + 1);
        let text = &text[1..text.len() - 1];
        if text.contains(',') {
            let each = text
                .split(',')
                .map(|each| action(&format!("[{}]", each.trim_matches(' '))));
            steps.push(Step::Union(each.collect::<Result<_, _>>()?));
            return Ok(());
        }
        let key = text
            .strip_prefix('\'')
            .and_then(|text| text.strip_suffix('\''))
            .filter(|key| !key.contains('\''));
        match key {
            Some(key) => steps.extend(action(&format!(".{key}"))?),
            None => steps.push(Step::Items(slice(text)?)),
        }
        Ok(())
    }

    /// What follows `[?(`.
    fn filter(&mut self) -> Result<Step, String> {
        let text = self.condition()?;
        if !self.skip("]") {
            return Err("unclosed array expect ]".to_owned());
        }
        let is_operator = |c: char| matches!(c, '!' | '<' | '>' | '=');
        let compared = text.find(is_operator).filter(|at| *at > 0).and_then(|at| {
            let (left, rest) = text.split_at(at);
            let end = rest.find(|c| !is_operator(c))?;
            let (operator, right) = rest.split_at(end);
            Some((left, operator, right))
        });
        Ok(Step::Filter(Box::new(match compared {
            None => Filter {
                left: action(text)?,
                held: None,
            },
            Some((left, operator, right)) => Filter {
                left: action(left)?,
                held: Some((operator.to_owned(), action(right)?)),
            },
        })))
    }

    /// The text up to the parenthesis that ends a filter; one pair of quotes may hold others.
    fn condition(&mut self) -> Result<&'t str, String> {
        let (mut quote, mut closed, mut before) = (None, false, '(');
        for (at, c) in self.rest.char_indices() {
            match c {
                '\n' => break,
                '"' | '\'' => match quote {
                    None => quote = Some(c),
                    Some(open) => closed |= c == open && before != '\\',
                },
                ')' if quote.is_some() == closed => {
                    let text = self.take(at);
                    self.take(1);
                    return Ok(text);
                }
                _ => {}
            }
            before = c;
        }
        Err("unterminated filter".to_owned())
    }
}

/// `from`, `from:to` or `from:to:step`, each of which may be left out; `*` is all of them.
fn slice(text: &str) -> Result<Slice, String> {
    let given = if text == "*" { ":" } else { text };
    let parts: Vec<&str> = given.split(':').collect();
    let is_number = |part: &&str| {
        part.strip_prefix('-')
            .unwrap_or(part)
            .chars()
            .all(|c| c.is_ascii_digit())
    };
    if parts.len() > 3 || !parts.iter().all(is_number) {
        return Err(format!("invalid array index {text}"));
    }
    let number = |part: &str| match part {
        "" => Ok(None),
        part => part
            .parse()
            .map(Some)
            .map_err(|_| format!("array index {part} is not a number")),
    };
    let from = number(parts[0])?;
    let to = match parts.get(1) {
        None => End::AfterFrom,
        Some(part) => number(part)?.map_or(End::OfList, End::At),
    };
    let step = parts.get(2).map_or(Ok(None), |part| number(part))?;
    Ok(Slice { from, to, step })
}

fn ends_name(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}'
    )
}

fn begins_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}
