//! An expression of a user's, in CEL, about one object.
//!
//! Whoever may write a release may write one, so it is an untrusted program, and it runs where the operator watches
//! for everybody. The crate that evaluates it has no budget of its own; here it gets one. What it is made of is
//! checked when it is read, and its loops are counted while it runs. What builds new texts or lists out of others is
//! left out, so that no expression needs more memory than the object that it speaks of.

mod bound;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use cel::objects::Key;
use cel::parser::PrattParser;
use cel::{Context, Env, ExecutionError, IdedExpr, Value as Cel};
use serde_json::Value;

/// The most bytes of an expression.
pub const MAX_EXPRESSION_BYTES: usize = 1024;

/// The most nodes of an expression, its macros expanded.
const MAX_NODES: usize = 512;
/// How deep brackets, calls and macros may be nested in its text.
const MAX_NESTING: u16 = 16;
/// After how many mistakes nothing more is looked for.
const MISTAKES: u32 = 3;
/// What all loops of one evaluation may do together: turns, times the expression's nodes, times the object's weight.
const WORK: u64 = 20_000_000;
/// The most turns of all loops of one evaluation together, however small object and expression are.
const MAX_TURNS: u64 = 10_000;
/// The stack of a thread that reads or evaluates: both recurse, and an unoptimised build takes much for each step.
const STACK_BYTES: usize = 16 << 20;
/// The object under this name, as in the rules of Kubernetes' own definitions.
const SELF: &str = "self";

/// Why a text is no expression that can be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ExpressionError {
    /// Counted from one.
    pub line: usize,
    /// Counted from one, in characters.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
}

/// Why an expression has no answer for an object. Names fields and types, never a value: the object may be a Secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// A field or key that the object does not have, or not yet.
    #[error("the object has no {0}; ask with has() whether a field is there")]
    NoField(String),
    /// An operator or function that does not fit the types of what it is given.
    #[error("{0}")]
    Types(String),
    /// The answer is not true or false.
    #[error("the answer is a {0}, not true or false")]
    NotABool(String),
    /// Something else about the values.
    #[error("{0}")]
    Values(&'static str),
    /// The object is too large for this expression.
    #[error("the object is too large to ask this of it; ask for less of it")]
    TooMuchWork,
}

/// An expression that was checked.
#[derive(Clone)]
pub struct Expression {
    text: Arc<str>,
    tree: Arc<IdedExpr>,
    nodes: u64,
    env: Arc<Env>,
}

impl fmt::Debug for Expression {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Expression").field(&self.text).finish()
    }
}

/// By their texts.
impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Expression {
    /// Reads an expression about `self`.
    ///
    /// CEL's operators, `has`, `all`, `exists`, `exists_one` and `filter`, optional fields (`self.?status`), `size`,
    /// `contains`, `startsWith`, `endsWith` and the conversions between numbers, texts and truth.
    ///
    /// # Errors
    /// [`ExpressionError`] for a text that is not CEL, for names and functions that do not exist here, and for one
    /// that is longer or deeper than anybody needs.
    pub fn compile(text: &str) -> Result<Self, ExpressionError> {
        let error = |line, column, message: String| ExpressionError {
            line,
            column,
            message,
        };
        if text.len() > MAX_EXPRESSION_BYTES {
            let message = format!(
                "it has {} bytes; {MAX_EXPRESSION_BYTES} are the most",
                text.len()
            );
            return Err(error(1, 1, message));
        }
        let parser = PrattParser::new()
            .max_recursion_depth(MAX_NESTING)
            .error_recovery_limit(MISTAKES)
            .max_expression_node_count(MAX_NODES)
            .enable_optional_syntax(true);
        let parsed = apart(|| parser.parse(text))
            .ok_or_else(|| error(1, 1, "it cannot be read".to_owned()))?;
        let mut tree = parsed.map_err(|errors| {
            let first = errors.errors.into_iter().find(|error| error.pos.0 > 0);
            first.map_or_else(
                || error(1, 1, "it is nested too deeply".to_owned()),
                |first| {
                    let line = usize::try_from(first.pos.0).unwrap_or(1).max(1);
                    let column = usize::try_from(first.pos.1).unwrap_or(1).max(1);
                    let message = first.msg.trim_start_matches("Syntax error: ");
                    error(line, column, message.to_owned())
                },
            )
        })?;
        let nodes = bound::bound(&mut tree, SELF).map_err(|refused| {
            let (line, column) = place(text, &refused.name);
            error(line, column, refused.message)
        })?;
        Ok(Self {
            text: text.into(),
            tree: Arc::new(tree),
            nodes,
            env: Arc::new(Env::stdlib()),
        })
    }

    /// The text that it was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Asks it of an object.
    ///
    /// # Errors
    /// [`NoAnswer`] when the object lacks what is asked for, or the expression does not fit it.
    pub fn holds(&self, object: &Value) -> Result<bool, NoAnswer> {
        let unknown = NoAnswer::Values("it cannot be evaluated for this object");
        apart(|| self.evaluate(object)).unwrap_or(Err(unknown))
    }

    fn evaluate(&self, object: &Value) -> Result<bool, NoAnswer> {
        let left = Arc::new(AtomicU64::new(self.turns(object)));
        let mut context = Context::with_env(self.env.clone());
        let declared = context
            .add_function(bound::RANGE, move |range: Cel| count(range, &left))
            .and_then(|()| context.add_function(bound::SUM, add));
        if declared.is_err() {
            return Err(NoAnswer::Values("it cannot be evaluated here"));
        }
        context.add_variable_from_value(SELF, of_json(object));
        match Cel::resolve(&self.tree, &context) {
            Ok(Cel::Bool(holds)) => Ok(holds),
            Ok(other) => Err(NoAnswer::NotABool(other.type_of().to_string())),
            Err(error) => Err(told(&error)),
        }
    }

    /// How many turns its loops may make together for this object.
    fn turns(&self, object: &Value) -> u64 {
        (WORK / (self.nodes * weight(object))).min(MAX_TURNS)
    }
}

/// On a thread with a stack of its own. The crate is young: should it panic, that is an expression without an answer
/// and not the end of a watch.
fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .name("expression".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, work);
        thread.ok()?.join().ok()
    })
}

/// Counts the turns of a loop before it begins.
fn count(range: Cel, left: &AtomicU64) -> Result<Cel, ExecutionError> {
    let turns = match &range {
        Cel::List(items) => items.len(),
        Cel::Map(map) => map.map.len(),
        _ => 0,
    };
    let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
        left.checked_sub(turns as u64)
    });
    match taken {
        Ok(_) => Ok(range),
        Err(_) => Err(ExecutionError::function_error(
            bound::RANGE,
            "too many turns",
        )),
    }
}

/// `+` for numbers alone: joined texts and lists would grow without bound.
fn add(left: Cel, right: Cel) -> Result<Cel, ExecutionError> {
    let overflow = || ExecutionError::Overflow("+", Cel::Null, Cel::Null);
    match (left, right) {
        (Cel::Int(a), Cel::Int(b)) => a.checked_add(b).map(Cel::Int).ok_or_else(overflow),
        (Cel::UInt(a), Cel::UInt(b)) => a.checked_add(b).map(Cel::UInt).ok_or_else(overflow),
        (Cel::Float(a), Cel::Float(b)) => Ok(Cel::Float(a + b)),
        (left, right) => Err(ExecutionError::no_such_overload(
            "+",
            vec![left.type_of().to_string(), right.type_of().to_string()],
        )),
    }
}

/// What an object has of nodes and of text, where sixteen bytes weigh as much as a node.
fn weight(object: &Value) -> u64 {
    1 + match object {
        Value::String(text) => text.len() as u64 / 16,
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| key.len() as u64 / 16 + weight(value))
            .sum(),
        _ => 0,
    }
}

/// Whole numbers are `int`, as in the rules of definitions.
fn of_json(value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(truth) => Cel::Bool(*truth),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => Cel::Int(int),
            (None, Some(uint)) => Cel::UInt(uint),
            (None, None) => Cel::Float(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => Cel::String(Arc::new(text.clone())),
        Value::Array(items) => Cel::List(Arc::new(items.iter().map(of_json).collect())),
        Value::Object(fields) => {
            let entry = |(key, value): (&String, &Value)| {
                (Key::String(Arc::new(key.clone())), of_json(value))
            };
            Cel::Map(cel::objects::Map {
                map: Arc::new(fields.iter().map(entry).collect()),
            })
        }
    }
}

/// The error without any value in it.
fn told(error: &ExecutionError) -> NoAnswer {
    match error {
        ExecutionError::NoSuchKey(key) => NoAnswer::NoField(key.to_string()),
        ExecutionError::NoSuchOverload(overload) => NoAnswer::Types(overload.to_string()),
        ExecutionError::UnexpectedType { got, want } => {
            NoAnswer::Types(format!("there is a {got} where a {want} is needed"))
        }
        ExecutionError::UndeclaredReference(name) => {
            NoAnswer::Types(format!("there is no {name} here"))
        }
        ExecutionError::FunctionError { function, .. } if function == bound::RANGE => {
            NoAnswer::TooMuchWork
        }
        ExecutionError::FunctionError { function, .. } => {
            NoAnswer::Types(format!("{function} cannot be asked of this value"))
        }
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            NoAnswer::Values("a number is divided by zero")
        }
        ExecutionError::Overflow(..) => NoAnswer::Values("a number becomes too large"),
        ExecutionError::IndexOutOfBounds(_) => NoAnswer::Values("a list has no such place"),
        _ => NoAnswer::Values("it does not fit the values of this object"),
    }
}

/// Line and column of the first use of a name, as a field only if it is none otherwise; the beginning if it is not
/// found.
fn place(text: &str, name: &str) -> (usize, usize) {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let before = |at: usize| text[..at].chars().next_back();
    let uses = || {
        text.match_indices(name).filter(|(at, _)| {
            let after = text[at + name.len()..].chars().next();
            !(before(*at).is_some_and(is_part) || after.is_some_and(is_part))
        })
    };
    let alone = uses().find(|(at, _)| before(*at) != Some('.'));
    let at = alone.or_else(|| uses().next()).map_or(0, |(at, _)| at);
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    (line, column)
}

#[cfg(test)]
mod tests;
