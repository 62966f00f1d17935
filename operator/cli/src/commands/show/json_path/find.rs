//! What a template finds in a value.

use std::cmp::Ordering;
use std::ops::Range;

use belay_yaml::Value;

use super::{End, Filter, Part, Slice, Step};

/// A template asks for what is not there, or compares what cannot be compared. Helm then prints nothing, and no error.
pub(super) struct Nothing;

type Found<T> = Result<T, Nothing>;

/// The values of each part that is printed.
pub(super) fn find(parts: &[Part], value: &Value) -> Found<Vec<Vec<Value>>> {
    let mut walk = Walk {
        parts,
        ranges: 0,
        found: Vec::new(),
    };
    walk.from(0, value)?;
    Ok(walk.found)
}

struct Walk<'p> {
    parts: &'p [Part],
    /// How many ranges are open.
    ranges: usize,
    found: Vec<Vec<Value>>,
}

/// What an action asks for besides its values.
#[derive(PartialEq)]
enum Order {
    Go,
    Range,
    End,
}

impl Walk<'_> {
    /// Goes on from a part, and says at which one the range that it is in ends.
    fn from(&mut self, start: usize, value: &Value) -> Found<Option<usize>> {
        let mut at = start;
        while let Some(part) = self.parts.get(at) {
            let (values, order) = match part {
                Part::Text(text) => (vec![Value::Str(text.clone())], Order::Go),
                Part::Action(steps) => self.action(steps, value)?,
            };
            match order {
                Order::Go => self.found.push(values),
                Order::End => return Ok(Some(at)),
                Order::Range => {
                    self.ranges += 1;
                    let end = self.range(at + 1, &values)?;
                    self.ranges -= 1;
                    // Where no `end` is, the parts behind are printed once more, outside of the range.
                    at = end.unwrap_or(at);
                }
            }
            at += 1;
        }
        Ok(None)
    }

    fn range(&mut self, start: usize, values: &[Value]) -> Found<Option<usize>> {
        if values.is_empty() {
            // The parts are still gone through, for where they end.
            let kept = self.found.len();
            let end = self.from(start, &Value::Null);
            self.found.truncate(kept);
            return end;
        }
        let mut end = None;
        for value in values {
            end = self.from(start, value)?;
        }
        Ok(end)
    }

    fn action(&self, steps: &[Step], value: &Value) -> Found<(Vec<Value>, Order)> {
        let mut order = Order::Go;
        let mut values: Vec<Value> = vec![value.clone()];
        for step in steps {
            match step {
                Step::Word(word) if word == "range" => order = Order::Range,
                Step::Word(word) if word == "end" && self.ranges > 0 => {
                    order = Order::End;
                    values.clear();
                }
                step => values = follow(step, &values)?,
            }
        }
        Ok((values, order))
    }
}

fn follow_all(steps: &[Step], values: &[Value]) -> Found<Vec<Value>> {
    let follow_one = |values: Vec<Value>, step| follow(step, &values);
    steps.iter().try_fold(values.to_vec(), follow_one)
}

fn follow(step: &Step, values: &[Value]) -> Found<Vec<Value>> {
    let mut found = Vec::new();
    match step {
        Step::Text(text) => found.push(Value::Str(text.clone())),
        Step::Literal(literal) => found.resize(values.len(), literal.clone()),
        Step::Word(_) => return Err(Nothing),
        Step::Field(name) => return field(name, values),
        Step::All => found.extend(values.iter().flat_map(inner)),
        Step::Below => {
            for value in values {
                below(value, &mut found);
            }
        }
        Step::Items(slice) => {
            for value in values.iter().filter(|value| !value.is_null()) {
                let items = value.as_seq().ok_or(Nothing)?;
                let Some((bounds, step)) = slice.bounds(items.len())? else {
                    return Ok(found);
                };
                found.extend(items[bounds].iter().step_by(step).cloned());
            }
        }
        Step::Union(each) => {
            for steps in each {
                found.extend(follow_all(steps, values)?);
            }
        }
        Step::Filter(filter) => {
            for value in values {
                for item in value.as_seq().ok_or(Nothing)? {
                    if filter.holds(item)? {
                        found.push(item.clone());
                    }
                }
            }
        }
    }
    Ok(found)
}

fn field(name: &str, values: &[Value]) -> Found<Vec<Value>> {
    let found: Vec<Value> = values
        .iter()
        .filter_map(|value| value.as_map()?.get(name).cloned())
        .collect();
    if found.is_empty() && !values.is_empty() {
        return Err(Nothing);
    }
    Ok(found)
}

/// What lies in a value; of a text its bytes, as Go has them.
fn inner(value: &Value) -> Vec<Value> {
    match value {
        Value::Seq(items) => items.clone(),
        Value::Map(entries) => entries.values().cloned().collect(),
        Value::Str(text) => text.bytes().map(|byte| Value::Uint(byte.into())).collect(),
        _ => Vec::new(),
    }
}

/// The value and everything in it that holds something itself.
fn below(value: &Value, found: &mut Vec<Value>) {
    let held = inner(value);
    if !held.is_empty() {
        found.push(value.clone());
    }
    for value in &held {
        below(value, found);
    }
}

impl Slice {
    /// Which items of a list of so many, and the step between them; nothing where it begins and ends at once.
    fn bounds(&self, length: usize) -> Found<Option<(Range<usize>, usize)>> {
        let length = i64::try_from(length).map_err(|_| Nothing)?;
        let given = self.from.unwrap_or(0);
        let from = if given < 0 { given + length } else { given };
        let to = match self.to {
            End::OfList => length,
            End::At(to) if to < 0 => to + length,
            End::At(to) => to,
            End::AfterFrom if given < 0 => given + 1 + length,
            End::AfterFrom => given + 1,
        };
        if from == to {
            return Ok(None);
        }
        let step = self.step.unwrap_or(1);
        if from < 0 || from > to || to > length || step < 1 {
            return Err(Nothing);
        }
        let index = |number: i64| usize::try_from(number).map_err(|_| Nothing);
        Ok(Some((index(from)?..index(to)?, index(step)?)))
    }
}

impl Filter {
    fn holds(&self, item: &Value) -> Found<bool> {
        let item = std::slice::from_ref(item);
        let left = follow_all(&self.left, item);
        let Some((operator, right)) = &self.held else {
            return Ok(left.is_ok_and(|found| !found.is_empty()));
        };
        let left = left?;
        if left.is_empty() {
            return Ok(false);
        }
        let right = match left.as_slice() {
            [_] => follow_all(right, item)?,
            _ => return Err(Nothing),
        };
        let (left, right) = match (left.as_slice(), right.as_slice()) {
            (_, []) => return Ok(false),
            ([left], [right]) => (left, right),
            _ => return Err(Nothing),
        };
        match operator.as_str() {
            "==" => equal(left, right),
            "!=" => equal(left, right).map(|equal| !equal),
            "<" => less(left, right),
            ">=" => less(left, right).map(|less| !less),
            "<=" => Ok(less(left, right)? || equal(left, right)?),
            ">" => Ok(!(less(left, right)? || equal(left, right)?)),
            _ => Err(Nothing),
        }
    }
}

/// Go compares values of one kind only, and whole numbers of either sign; no order where a number is none.
fn order(left: &Value, right: &Value) -> Found<Option<Ordering>> {
    Ok(match (left, right) {
        (Value::Float(left), Value::Float(right)) => left.partial_cmp(right),
        (Value::Str(left), Value::Str(right)) => Some(left.cmp(right)),
        (left, right) => Some(whole(left)?.cmp(&whole(right)?)),
    })
}

fn whole(value: &Value) -> Found<i128> {
    match value {
        Value::Int(number) => Ok((*number).into()),
        Value::Uint(number) => Ok((*number).into()),
        _ => Err(Nothing),
    }
}

fn equal(left: &Value, right: &Value) -> Found<bool> {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
        _ => order(left, right).map(|order| order == Some(Ordering::Equal)),
    }
}

fn less(left: &Value, right: &Value) -> Found<bool> {
    order(left, right).map(|order| order == Some(Ordering::Less))
}
