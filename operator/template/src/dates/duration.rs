//! Go's durations: 64 bits of nanoseconds, written as `1h2m3.5s`.

use super::scan::quote;

const SECOND: u64 = 1_000_000_000;
/// The largest magnitude, that of the most negative duration.
const MOST: u64 = 1 << 63;

/// What Go says about a text that is no duration; carries the quoted text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// It has not the shape of a duration or is too long.
    #[error("time: invalid duration {0}")]
    Invalid(String),
    /// A number has no unit.
    #[error("time: missing unit in duration {0}")]
    MissingUnit(String),
    /// A unit that Go does not know, such as `d`.
    #[error("time: unknown unit {unit} in duration {text}")]
    UnknownUnit {
        /// The unit, quoted.
        unit: String,
        /// The whole text, quoted.
        text: String,
    },
}

/// Reads a duration into nanoseconds.
///
/// # Errors
/// When the text is no duration or does not fit.
pub fn parse_duration(text: &[u8]) -> Result<i64, DurationError> {
    let invalid = || DurationError::Invalid(quote(text));
    let (negative, mut rest) = match text {
        [sign @ (b'-' | b'+'), rest @ ..] => (*sign == b'-', rest),
        _ => (false, text),
    };
    if rest == b"0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let whole = leading_digits(rest);
        let value = whole.iter().try_fold(0u64, |all, b| {
            let next = all.checked_mul(10)?.checked_add(u64::from(b - b'0'))?;
            (next <= MOST).then_some(next)
        });
        let value = value.ok_or_else(invalid)?;
        rest = &rest[whole.len()..];
        let mut fraction: &[u8] = b"";
        if let [b'.', after @ ..] = rest {
            fraction = leading_digits(after);
            rest = &after[fraction.len()..];
        }
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let unit_len = rest
            .iter()
            .take_while(|b| !(b.is_ascii_digit() || **b == b'.'))
            .count();
        let (name, after) = rest.split_at(unit_len);
        rest = after;
        if name.is_empty() {
            return Err(DurationError::MissingUnit(quote(text)));
        }
        let unit = unit(name).ok_or_else(|| DurationError::UnknownUnit {
            unit: quote(name),
            text: quote(text),
        })?;
        let value = value
            .checked_mul(unit)
            .filter(|&v| v <= MOST)
            .ok_or_else(invalid)?;
        let value = value + fraction_of(fraction, unit);
        total = total
            .checked_add(value)
            .filter(|&all| all <= MOST)
            .ok_or_else(invalid)?;
    }
    if negative {
        return Ok((total as i64).wrapping_neg());
    }
    i64::try_from(total).map_err(|_| invalid())
}

fn leading_digits(text: &[u8]) -> &[u8] {
    &text[..text.iter().take_while(|b| b.is_ascii_digit()).count()]
}

fn unit(name: &[u8]) -> Option<u64> {
    match name {
        b"ns" => Some(1),
        b"us" | b"\xc2\xb5s" | b"\xce\xbcs" => Some(1_000),
        b"ms" => Some(1_000_000),
        b"s" => Some(SECOND),
        b"m" => Some(60 * SECOND),
        b"h" => Some(3600 * SECOND),
        _ => None,
    }
}

/// Decimals of a unit in nanoseconds; digits beyond 63 bits do not count.
fn fraction_of(digits: &[u8], unit: u64) -> u64 {
    let (mut value, mut scale) = (0u64, 1.0);
    for digit in digits {
        if value > (MOST - 1) / 10 {
            break;
        }
        let next = value * 10 + u64::from(digit - b'0');
        if next > MOST {
            break;
        }
        value = next;
        scale *= 10.0;
    }
    (value as f64 * (unit as f64 / scale)) as u64
}

/// Prints nanoseconds as Go's `Duration` does: `1h2m3.5s`, `1.5ms`, `0s`.
pub fn display_duration(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let all = nanos.unsigned_abs();
    if all == 0 {
        return "0s".to_owned();
    }
    if all < SECOND {
        let (unit, name) = match all {
            0..1_000 => (1, "ns"),
            1_000..1_000_000 => (1_000, "µs"),
            _ => (1_000_000, "ms"),
        };
        return format!("{sign}{}{name}", decimal(all, unit));
    }
    let minutes = all / (60 * SECOND);
    let seconds = decimal(all % (60 * SECOND), SECOND);
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
        (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

/// A quotient with all its decimals and no trailing zeros.
fn decimal(value: u64, unit: u64) -> String {
    let (whole, rest) = (value / unit, value % unit);
    if rest == 0 {
        return whole.to_string();
    }
    let digits = unit.ilog10() as usize;
    let fraction = format!("{rest:0digits$}");
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}

/// Rounds to a multiple of `unit` nanoseconds, halves away from zero.
pub fn round_duration(nanos: i64, unit: i64) -> i64 {
    if unit <= 0 {
        return nanos;
    }
    let rest = (nanos % unit).abs();
    let toward_zero = if nanos < 0 {
        nanos + rest
    } else {
        nanos - rest
    };
    if rest < unit - rest {
        return toward_zero;
    }
    if nanos < 0 {
        toward_zero.checked_sub(unit).unwrap_or(i64::MIN)
    } else {
        toward_zero.checked_add(unit).unwrap_or(i64::MAX)
    }
}
