//! Dates and durations.

use std::any::Any as StdAny;
use std::cmp::Ordering;

use super::args::{any, at, bytes, int, text};
use crate::call::{
    Caller, Function, Library,
    Param::{Any, Int, Object as Obj, String as Str},
};
use crate::dates::{Time, Zone, display_duration, parse_duration, round_duration};
use crate::error::FuncError;
use crate::strconv::parse_int;
use crate::value::{IntKind, Member, Object, Value};

const TIME: &str = "time.Time";
const SECOND: i64 = 1_000_000_000;
const HTML: &[u8] = b"2006-01-02";

/// Sprig's group "date".
pub(super) const LIBRARY: Library = Library {
    name: "dates",
    functions: &[
        Function::new("now", &[], |caller, _| Ok(Value::object(now(caller)))),
        Function::new("ago", &[Any], |c, a| Ok(ago(c, a))),
        Function::new("date", &[Str, Any], |caller, a| {
            Ok(show(caller, at(a, 1), bytes(a, 0), "Local"))
        }),
        Function::new("date_in_zone", &[Str, Any, Str], |c, a| {
            Ok(date_in_zone(c, a))
        }),
        Function::new("dateInZone", &[Str, Any, Str], |c, a| {
            Ok(date_in_zone(c, a))
        }),
        Function::new("htmlDate", &[Any], |caller, a| {
            Ok(show(caller, at(a, 0), HTML, "Local"))
        }),
        Function::new("htmlDateInZone", &[Any, Str], |caller, a| {
            Ok(show(caller, at(a, 0), HTML, &text(a, 1)))
        }),
        Function::new("date_modify", &[Str, Obj(TIME)], |_, a| Ok(date_modify(a))),
        Function::new("dateModify", &[Str, Obj(TIME)], |_, a| Ok(date_modify(a))),
        Function::new("must_date_modify", &[Str, Obj(TIME)], must_date_modify),
        Function::new("mustDateModify", &[Str, Obj(TIME)], must_date_modify),
        Function::new("duration", &[Any], |_, a| {
            let seconds = match at(a, 0) {
                Value::Str(text) => parse_int(text, 10).clamped(),
                Value::Int(IntKind::Int64, seconds) => *seconds,
                _ => 0,
            };
            Ok(display_duration(seconds.wrapping_mul(SECOND)).into())
        }),
        Function::new("durationRound", &[Any], |c, a| Ok(duration_round(c, a))),
        Function::new("toDate", &[Str, Str], |caller, a| {
            let zone = caller.host().zone();
            Ok(Value::object(
                Time::parse(bytes(a, 0), bytes(a, 1), &zone).unwrap_or_else(|_| Time::zero()),
            ))
        }),
        Function::new("mustToDate", &[Str, Str], |caller, a| {
            let zone = caller.host().zone();
            let time = Time::parse(bytes(a, 0), bytes(a, 1), &zone);
            time.map(Value::object)
                .map_err(|error| FuncError::new(error.to_string()))
        }),
        Function::new("unixEpoch", &[Obj(TIME)], |_, a| {
            Ok(time(at(a, 0)).unix_seconds().to_string().into())
        }),
    ],
};

fn now(caller: &mut dyn Caller) -> Time {
    let host = caller.host();
    let zone = Zone::Rules(host.zone());
    Time::from_timestamp(host.now(), zone)
}

/// A declared `time.Time`; nothing else can stand there.
fn time(value: &Value) -> Time {
    value.downcast::<Time>().cloned().unwrap_or_else(Time::zero)
}

/// A time as sprig takes it: a `time.Time`, or seconds since 1970 in one of the types, or else now.
fn moment(caller: &mut dyn Caller, value: &Value, types: &[IntKind]) -> Time {
    match value {
        Value::Int(kind, seconds) if types.contains(kind) => Time::unix(*seconds, Zone::Utc),
        other => other
            .downcast::<Time>()
            .cloned()
            .unwrap_or_else(|| now(caller)),
    }
}

fn show(caller: &mut dyn Caller, date: &Value, layout: &[u8], zone: &str) -> Value {
    let time = moment(
        caller,
        date,
        &[IntKind::Int64, IntKind::Int, IntKind::Int32],
    );
    let zone = Zone::load(zone, &caller.host().zone()).unwrap_or(Zone::Utc);
    time.within(zone).format(layout).into()
}

fn date_in_zone(caller: &mut dyn Caller, args: &[Value]) -> Value {
    show(caller, at(args, 1), bytes(args, 0), &text(args, 2))
}

fn date_modify(args: &[Value]) -> Value {
    match parse_duration(bytes(args, 0)) {
        Ok(duration) => Value::object(time(at(args, 1)).plus(duration)),
        Err(_) => any(args, 1),
    }
}

fn must_date_modify(_: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    match parse_duration(bytes(args, 0)) {
        Ok(duration) => Ok(Value::object(time(at(args, 1)).plus(duration))),
        Err(error) => Err(FuncError::new(error.to_string())),
    }
}

fn ago(caller: &mut dyn Caller, args: &[Value]) -> Value {
    let then = moment(caller, at(args, 0), &[IntKind::Int64, IntKind::Int]);
    let passed = now(caller).since(&then);
    display_duration(round_duration(passed, SECOND)).into()
}

fn duration_round(caller: &mut dyn Caller, args: &[Value]) -> Value {
    const UNITS: [(u64, &str); 6] = [
        (365 * 24 * 3600, "y"),
        (30 * 24 * 3600, "mo"),
        (24 * 3600, "d"),
        (3600, "h"),
        (60, "m"),
        (1, "s"),
    ];
    let duration = match at(args, 0) {
        Value::Str(text) => parse_duration(text).unwrap_or_default(),
        Value::Int(IntKind::Int64, nanos) => *nanos,
        other => match other.downcast::<Time>() {
            Some(then) => now(caller).since(then),
            None => 0,
        },
    };
    let all = duration.unsigned_abs();
    let unit = UNITS
        .iter()
        .find(|(seconds, _)| all > seconds * SECOND as u64);
    match unit {
        Some((seconds, name)) => format!("{}{name}", all / (seconds * SECOND as u64)).into(),
        None => "0s".into(),
    }
}

impl Object for Time {
    fn type_name(&self) -> &'static str {
        TIME
    }

    fn member(&self, name: &[u8]) -> Option<Member> {
        METHODS
            .iter()
            .find(|method| method.name.as_bytes() == name)
            .map(Member::Method)
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    fn text(&self) -> Option<String> {
        Some(self.to_string())
    }

    fn plain(&self) -> Value {
        self.format(b"2006-01-02T15:04:05.999999999Z07:00").into()
    }

    fn as_any(&self) -> &dyn StdAny {
        self
    }
}

/// What templates can ask a time for. The receiver is the first argument.
static METHODS: &[Function] = &[
    Function::new("Format", &[Str], |_, a| {
        Ok(time(at(a, 0)).format(bytes(a, 1)).into())
    }),
    Function::new("String", &[], |_, a| Ok(time(at(a, 0)).to_string().into())),
    Function::new("Unix", &[], |_, a| {
        Ok(Value::int64(time(at(a, 0)).unix_seconds()))
    }),
    Function::new("UnixMilli", &[], |_, a| {
        let time = time(at(a, 0));
        let millis = time
            .unix_seconds()
            .wrapping_mul(1000)
            .wrapping_add(i64::from(time.nanosecond() / 1_000_000));
        Ok(Value::int64(millis))
    }),
    Function::new("UnixMicro", &[], |_, a| {
        let time = time(at(a, 0));
        let micros = time
            .unix_seconds()
            .wrapping_mul(1_000_000)
            .wrapping_add(i64::from(time.nanosecond() / 1000));
        Ok(Value::int64(micros))
    }),
    Function::new("UnixNano", &[], |_, a| {
        Ok(Value::int64(time(at(a, 0)).unix_nanos()))
    }),
    Function::new("Year", &[], |_, a| {
        Ok(Value::int(time(at(a, 0)).civil().year))
    }),
    Function::new("Month", &[], |_, a| {
        Ok(Value::Int(
            IntKind::Month,
            i64::from(time(at(a, 0)).civil().month),
        ))
    }),
    Function::new("Day", &[], |_, a| {
        Ok(Value::int(i64::from(time(at(a, 0)).civil().day)))
    }),
    Function::new("YearDay", &[], |_, a| {
        Ok(Value::int(i64::from(time(at(a, 0)).civil().year_day)))
    }),
    Function::new("Weekday", &[], |_, a| {
        Ok(Value::Int(
            IntKind::Weekday,
            i64::from(time(at(a, 0)).civil().weekday),
        ))
    }),
    Function::new("Hour", &[], |_, a| {
        Ok(Value::int(i64::from(time(at(a, 0)).civil().hour)))
    }),
    Function::new("Minute", &[], |_, a| {
        Ok(Value::int(i64::from(time(at(a, 0)).civil().minute)))
    }),
    Function::new("Second", &[], |_, a| {
        Ok(Value::int(i64::from(time(at(a, 0)).civil().second)))
    }),
    Function::new("Nanosecond", &[], |_, a| {
        Ok(Value::int(i64::from(time(at(a, 0)).nanosecond())))
    }),
    Function::new("Add", &[Any], |_, a| {
        Ok(Value::object(time(at(a, 0)).plus(int(a, 1))))
    }),
    Function::new("AddDate", &[Int, Int, Int], |_, a| {
        Ok(Value::object(time(at(a, 0)).plus_date(
            int(a, 1),
            int(a, 2),
            int(a, 3),
        )))
    }),
    Function::new("Sub", &[Obj(TIME)], |_, a| {
        Ok(Value::Int(
            IntKind::Duration,
            time(at(a, 0)).since(&time(at(a, 1))),
        ))
    }),
    Function::new("Compare", &[Obj(TIME)], |_, a| {
        Ok(Value::int(order(a) as i64))
    }),
    Function::new("Before", &[Obj(TIME)], |_, a| Ok(order(a).is_lt().into())),
    Function::new("After", &[Obj(TIME)], |_, a| Ok(order(a).is_gt().into())),
    Function::new("Equal", &[Obj(TIME)], |_, a| Ok(order(a).is_eq().into())),
    Function::new("IsZero", &[], |_, a| Ok(time(at(a, 0)).is_zero().into())),
    Function::new("UTC", &[], |_, a| {
        Ok(Value::object(time(at(a, 0)).within(Zone::Utc)))
    }),
    Function::new("Local", &[], |caller, a| {
        let zone = Zone::Rules(caller.host().zone());
        Ok(Value::object(time(at(a, 0)).within(zone)))
    }),
];

fn order(args: &[Value]) -> Ordering {
    time(at(args, 0)).order(&time(at(args, 1)))
}

#[cfg(test)]
mod tests;
