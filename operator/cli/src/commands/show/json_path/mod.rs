//! JSON path templates as kubectl and helm have them: `{.a.b}`, `{.list[0]['key']}`, `{.list[?(@.name=="x")].port}`,
//! `{..name}`, `{.a['b','c']}`, `{range .list[*]}{@.name}{"\n"}{end}`.
//!
//! Source: `k8s.io/client-go/util/jsonpath`, whose reader and walk this follows step by step.

mod find;
mod parse;

use belay_yaml::{Value, float_g};

/// A parsed template: texts, and the actions that stood in braces.
#[derive(Debug, PartialEq)]
pub(super) struct JsonPath {
    parts: Vec<Part>,
}

#[derive(Debug, PartialEq)]
enum Part {
    Text(String),
    Action(Vec<Step>),
}

/// One step of an action, from some values to others.
#[derive(Debug, PartialEq)]
enum Step {
    /// A word, or a quoted text.
    Text(String),
    /// A number, true or false.
    Literal(Value),
    /// `range`, `end`, or a word that means nothing.
    Word(String),
    Field(String),
    Items(Slice),
    All,
    Below,
    Union(Vec<Vec<Step>>),
    Filter(Box<Filter>),
}

/// `[from:to:step]`, negative numbers from the end.
#[derive(Debug, PartialEq)]
struct Slice {
    from: Option<i64>,
    to: End,
    step: Option<i64>,
}

/// Where a slice ends.
#[derive(Debug, PartialEq)]
enum End {
    /// It is one item.
    AfterFrom,
    At(i64),
    OfList,
}

#[derive(Debug, PartialEq)]
struct Filter {
    left: Vec<Step>,
    /// What it is held against, and how; a filter without looks whether there is anything at all.
    held: Option<(String, Vec<Step>)>,
}

impl JsonPath {
    /// Reads a template.
    pub(super) fn parse(template: &str) -> Result<Self, String> {
        parse::parts(template).map(|parts| Self { parts })
    }

    /// The template's text for a value; nothing when it asks for what is not there, or for what makes no sense.
    pub(super) fn print(&self, value: &Value) -> Option<String> {
        let found = find::find(&self.parts, value).ok()?;
        let shown = |values: &Vec<Value>| values.iter().map(shown).collect::<Vec<_>>().join(" ");
        Some(found.iter().map(shown).collect())
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Str(text) => text.clone(),
        Value::Float(number) => float_g(*number),
        other => belay_yaml::to_json(other).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(template: &str) -> String {
        let values = belay_yaml::parse(
            b"a: b\nc: {d: [1, 2, {e: 5}], f: 1.5, h: null, 'x.y': z}\n\
              l: [{'n': x, p: 1}, {'n': 'y', p: 2}, {'n': z}]\n",
        )
        .unwrap();
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
    fn filters_choose_and_unions_join() {
        assert_eq!(shown("{.l[?(@.n==\"y\")].p}"), "2");
        assert_eq!(shown("{.l[?(@.p)].n}"), "x y");
        assert_eq!(shown("{.l[?(@.n>\"x\")].n}"), "y z");
        assert_eq!(shown("{.l[?(@.p>1.5)].n}"), "", "the last has no p");
        assert_eq!(shown("{.l[?(@.p>1)].n}"), "", "an integer is no float");
        assert_eq!(shown("{.l[0,2].n}"), "x z");
        assert_eq!(shown("{.l[0]['n','p']}"), "x 1");
        assert_eq!(shown("{.l[::2].n}"), "x z");
        assert_eq!(
            shown("{range .l[*]}{.n}{range .p}={@}{end};{end}."),
            "",
            "the last has no p"
        );
        assert_eq!(
            shown("{range .l[0:2]}{.n}{range .p}={@}{end};{end}."),
            "x=1;y=2;."
        );
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let problem = |template: &str| JsonPath::parse(template).unwrap_err();
        assert_eq!(problem("{.a"), "unclosed action");
        assert_eq!(problem("{.a[x]}"), "invalid array index x");
        assert_eq!(problem("{.a[1}"), "unterminated array");
        assert_eq!(problem("{'a}"), "unterminated quoted string");
        assert_eq!(problem("{.a[?(@.b}"), "unterminated filter");
        assert_eq!(
            problem("{!}"),
            "unrecognized character in action: U+0021 '!'"
        );
        assert_eq!(problem("{....a}"), "invalid multiple recursive descent");
    }
}
