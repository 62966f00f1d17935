//! Arithmetic: whole numbers are `int64` and wrap, decimals go through exact decimal fractions.

pub(super) mod cast;
mod decimal;

use super::args::{any, at, bytes, int, reserve, text_of};
use crate::call::{
    Caller, Function, Library,
    Param::{Any, Float64, Int, String as Str},
};
use crate::error::FuncError;
use crate::strconv::parse_int;
use crate::value::{List, ListType, Value};
use cast::{to_f64, to_i64};
use decimal::Decimal;

const DIVIDE_BY_ZERO: &str = "runtime error: integer divide by zero";

/// Sprig's group "numbers".
pub(super) const LIBRARY: Library = Library {
    name: "numbers",
    functions: &[
        Function::new("atoi", &[Str], |_, a| {
            Ok(Value::int(parse_int(bytes(a, 0), 10).clamped()))
        }),
        Function::new("int", &[Any], |_, a| Ok(Value::int(to_i64(at(a, 0))))),
        Function::new("int64", &[Any], |_, a| Ok(Value::int64(to_i64(at(a, 0))))),
        Function::new("float64", &[Any], |_, a| Ok(to_f64(at(a, 0)).into())),
        Function::new("toDecimal", &[Any], |_, a| {
            Ok(Value::int64(
                parse_int(&text_of(at(a, 0)), 8).exact().unwrap_or_default(),
            ))
        }),
        Function::variadic("seq", &[], Int, seq),
        Function::new("until", &[Int], |caller, a| {
            let stop = int(a, 0);
            ints(caller, 0, stop, if stop < 0 { -1 } else { 1 }).map(int_list)
        }),
        Function::new("untilStep", &[Int, Int, Int], |caller, a| {
            ints(caller, int(a, 0), int(a, 1), int(a, 2)).map(int_list)
        }),
        Function::new("add1", &[Any], |_, a| {
            Ok(Value::int64(to_i64(at(a, 0)).wrapping_add(1)))
        }),
        Function::variadic("add", &[], Any, |_, a| {
            Ok(Value::int64(
                a.iter().map(to_i64).fold(0, i64::wrapping_add),
            ))
        }),
        Function::new("sub", &[Any, Any], |_, a| {
            Ok(Value::int64(
                to_i64(at(a, 0)).wrapping_sub(to_i64(at(a, 1))),
            ))
        }),
        Function::new("div", &[Any, Any], |_, a| divide(a, i64::wrapping_div)),
        Function::new("mod", &[Any, Any], |_, a| divide(a, i64::wrapping_rem)),
        Function::variadic("mul", &[Any], Any, |_, a| {
            Ok(Value::int64(
                a.iter().map(to_i64).fold(1, i64::wrapping_mul),
            ))
        }),
        Function::new("randInt", &[Int, Int], rand_int),
        Function::new("add1f", &[Any], |_, a| {
            decimals(&any(a, 0), &[Value::int(1)], |x, y| Ok(x.plus(y)))
        }),
        Function::variadic("addf", &[], Any, |_, a| {
            decimals(&Value::Float(0.0), a, |x, y| Ok(x.plus(y)))
        }),
        Function::variadic("subf", &[Any], Any, |_, a| {
            decimals(&any(a, 0), &a[1..], |x, y| Ok(x.minus(y)))
        }),
        Function::variadic("divf", &[Any], Any, |_, a| {
            decimals(&any(a, 0), &a[1..], Decimal::over)
        }),
        Function::variadic("mulf", &[Any], Any, |_, a| {
            decimals(&any(a, 0), &a[1..], |x, y| Ok(x.times(y)))
        }),
        Function::variadic("biggest", &[Any], Any, |_, a| Ok(max(a))),
        Function::variadic("max", &[Any], Any, |_, a| Ok(max(a))),
        Function::variadic("min", &[Any], Any, |_, a| {
            Ok(Value::int64(a.iter().map(to_i64).min().unwrap_or_default()))
        }),
        Function::variadic("maxf", &[Any], Any, |_, a| {
            Ok(extreme(a, f64::max, f64::INFINITY).into())
        }),
        Function::variadic("minf", &[Any], Any, |_, a| {
            Ok(extreme(a, f64::min, f64::NEG_INFINITY).into())
        }),
        Function::new("ceil", &[Any], |_, a| Ok(to_f64(at(a, 0)).ceil().into())),
        Function::new("floor", &[Any], |_, a| Ok(to_f64(at(a, 0)).floor().into())),
        Function::variadic("round", &[Any, Int], Float64, |_, a| Ok(round(a).into())),
    ],
};

fn int_list(numbers: Vec<i64>) -> Value {
    Value::List(List::new(
        ListType::Int,
        numbers.into_iter().map(Value::int).collect(),
    ))
}

/// The numbers from `start` on that lie before `end`; none when the step leads away from it.
fn ints(caller: &mut dyn Caller, start: i64, end: i64, step: i64) -> Result<Vec<i64>, FuncError> {
    if step == 0 || (end < start) != (step < 0) {
        return Ok(Vec::new());
    }
    let count = end.abs_diff(start).div_ceil(step.unsigned_abs());
    reserve(
        caller,
        usize::try_from(count).unwrap_or(usize::MAX),
        size_of::<Value>(),
    )?;
    let numbers = std::iter::successors(Some(start), |number| number.checked_add(step));
    Ok(numbers.take(count as usize).collect())
}

fn seq(caller: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    let towards = |start: i64, end: i64| if end < start { -1 } else { 1 };
    let (start, end, step) = match args.len() {
        1 => (1, int(args, 0), towards(1, int(args, 0))),
        2 => (
            int(args, 0),
            int(args, 1),
            towards(int(args, 0), int(args, 1)),
        ),
        3 => (int(args, 0), int(args, 2), int(args, 1)),
        _ => return Ok("".into()),
    };
    if end < start && step > 0 {
        return Ok("".into());
    }
    // The end belongs to the sequence.
    let beyond = end.wrapping_add(towards(start, end));
    let numbers: Vec<_> = ints(caller, start, beyond, step)?
        .iter()
        .map(ToString::to_string)
        .collect();
    Ok(numbers.join(" ").into())
}

fn divide(args: &[Value], operation: fn(i64, i64) -> i64) -> Result<Value, FuncError> {
    match to_i64(at(args, 1)) {
        0 => Err(DIVIDE_BY_ZERO.into()),
        divisor => Ok(Value::int64(operation(to_i64(at(args, 0)), divisor))),
    }
}

fn rand_int(caller: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    let (min, max) = (int(args, 0), int(args, 1));
    match u64::try_from(max.wrapping_sub(min)) {
        Ok(span) if span > 0 => {
            let drawn = super::random::below(caller.host(), span) as i64;
            Ok(Value::int(min.wrapping_add(drawn)))
        }
        _ => Err("invalid argument to Intn".into()),
    }
}

fn max(args: &[Value]) -> Value {
    Value::int64(args.iter().map(to_i64).max().unwrap_or_default())
}

/// Folds floats; one that is no number makes the result none, unless it meets the outermost one, as in Go.
fn extreme(args: &[Value], choose: fn(f64, f64) -> f64, outermost: f64) -> f64 {
    let choose = |a: f64, b: f64| match (a, b) {
        _ if a == outermost || b == outermost => outermost,
        _ if a.is_nan() || b.is_nan() => f64::NAN,
        _ => choose(a, b),
    };
    args.iter().map(to_f64).reduce(choose).unwrap_or_default()
}

fn round(args: &[Value]) -> f64 {
    let (value, places) = (to_f64(at(args, 0)), int(args, 1));
    let from = match args.get(2) {
        Some(Value::Float(from)) => *from,
        _ => 0.5,
    };
    let power = 10_f64.powi(i32::try_from(places.unsigned_abs()).unwrap_or(i32::MAX));
    let power = if places < 0 { 1.0 / power } else { power };
    let shifted = power * value;
    // A negative fraction never reaches the threshold: -1.5 becomes -2 and so does -1.2.
    let rounded = if shifted.fract() >= from {
        shifted.ceil()
    } else {
        shifted.floor()
    };
    rounded / power
}

fn decimals(
    first: &Value,
    others: &[Value],
    operation: fn(&Decimal, &Decimal) -> Result<Decimal, FuncError>,
) -> Result<Value, FuncError> {
    let mut result = Decimal::new(to_f64(first))?;
    for other in others {
        result = operation(&result, &Decimal::new(to_f64(other))?)?;
    }
    Ok(result.to_f64().into())
}

#[cfg(test)]
mod tests;
