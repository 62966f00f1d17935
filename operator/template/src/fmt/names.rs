//! Values that print as words: what has a `String` method in Go.

use std::fmt::Write;

use crate::value::{IntKind, Value};

/// What `String()` says, for types that have it.
pub(super) fn method_text(value: &Value) -> Option<String> {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    const DAYS: [&str; 7] = [
        "Sunday",
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
    ];
    match value {
        Value::Int(IntKind::Duration, nanoseconds) => Some(duration(*nanoseconds)),
        Value::Int(IntKind::Month, number) => {
            let name = usize::try_from(number - 1)
                .ok()
                .and_then(|index| MONTHS.get(index));
            Some(name.map_or_else(|| format!("%!Month({number})"), |name| (*name).to_owned()))
        }
        Value::Int(IntKind::Weekday, number) => {
            let name = usize::try_from(*number)
                .ok()
                .and_then(|index| DAYS.get(index));
            Some(name.map_or_else(|| format!("%!Weekday({number})"), |name| (*name).to_owned()))
        }
        Value::Object(object) => object.text(),
        _ => None,
    }
}

/// Go's `time.Duration.String`: `1h2m3.5s`, below a second `1.5ms`, `2µs`, `3ns`.
fn duration(nanoseconds: i64) -> String {
    let total = nanoseconds.unsigned_abs();
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let fraction = |unit: u64| {
        let whole = total % (unit * 1000) / unit;
        let rest = format!(
            "{:0width$}",
            total % unit,
            width = unit.to_string().len() - 1
        );
        let rest = rest.trim_end_matches('0');
        if unit == 1 || rest.is_empty() {
            whole.to_string()
        } else {
            format!("{whole}.{rest}")
        }
    };
    match total {
        0 => "0s".to_owned(),
        1..1_000 => format!("{sign}{total}ns"),
        1_000..1_000_000 => format!("{sign}{}µs", fraction(1_000)),
        1_000_000..1_000_000_000 => format!("{sign}{}ms", fraction(1_000_000)),
        _ => {
            let seconds = total / 1_000_000_000;
            let rest = format!("{:09}", total % 1_000_000_000);
            let rest = rest.trim_end_matches('0');
            let point = if rest.is_empty() { "" } else { "." };
            let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
            let mut text = sign.to_owned();
            if hours > 0 {
                let _ = write!(text, "{hours}h");
            }
            if hours > 0 || minutes > 0 {
                let _ = write!(text, "{minutes}m");
            }
            let _ = write!(text, "{}{point}{rest}s", seconds % 60);
            text
        }
    }
}
