//! How Go writes floats.

use std::fmt::Write as _;

/// The shortest digits that read back as the same number: sign, digits without a point, decimal exponent of the
/// first digit. The number is finite.
struct Shortest {
    negative: bool,
    digits: String,
    exponent: i32,
}

impl Shortest {
    fn from_scientific(text: &str) -> Self {
        let (negative, text) = text
            .strip_prefix('-')
            .map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        Self {
            negative,
            digits: mantissa.chars().filter(|c| *c != '.').collect(),
            exponent: exponent.parse().unwrap_or(0),
        }
    }

    fn scientific(&self) -> String {
        let mut out = String::with_capacity(24);
        if self.negative {
            out.push('-');
        }
        let (first, rest) = self.digits.split_at(1);
        out.push_str(first);
        if !rest.is_empty() {
            out.push('.');
            out.push_str(rest);
        }
        let sign = if self.exponent < 0 { '-' } else { '+' };
        // Writing to a string cannot fail.
        let _ = write!(out, "e{sign}{:02}", self.exponent.unsigned_abs());
        out
    }

    fn decimal(&self) -> String {
        let mut out = String::with_capacity(24);
        if self.negative {
            out.push('-');
        }
        if self.exponent < 0 {
            out.push_str("0.");
            out.extend(std::iter::repeat_n(
                '0',
                self.exponent.unsigned_abs() as usize - 1,
            ));
            out.push_str(&self.digits);
            return out;
        }
        let whole = self.exponent.unsigned_abs() as usize + 1;
        if self.digits.len() <= whole {
            out.push_str(&self.digits);
            out.extend(std::iter::repeat_n('0', whole - self.digits.len()));
        } else {
            let (before, after) = self.digits.split_at(whole);
            out.push_str(before);
            out.push('.');
            out.push_str(after);
        }
        out
    }

    fn general(&self) -> String {
        if self.exponent < -4 || self.exponent >= GENERAL_EXPONENT {
            self.scientific()
        } else {
            self.decimal()
        }
    }
}

/// From this decimal exponent on, `'g'` with the shortest precision writes an exponent.
const GENERAL_EXPONENT: i32 = 6;

/// A float as `strconv.FormatFloat(value, 'g', -1, 64)` and `%v` write it: the fewest digits that read back as the
/// same number, with an exponent below `1e-04` and from `1e+06` on. NaN and the infinities are `NaN`, `+Inf`, `-Inf`.
pub fn float_g(value: f64) -> String {
    special(value).map_or_else(
        || Shortest::from_scientific(&format!("{value:e}")).general(),
        str::to_owned,
    )
}

/// As [`float_g`], but rounded to a `float32` first.
pub(crate) fn float_g32(value: f64) -> String {
    let value = value as f32;
    special(f64::from(value)).map_or_else(
        || Shortest::from_scientific(&format!("{value:e}")).general(),
        str::to_owned,
    )
}

/// NaN or an infinity as YAML writes it, with a dot; any other number as [`float_g`].
pub(crate) fn float_yaml(value: f64) -> String {
    if value.is_nan() {
        ".nan".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { ".inf" } else { "-.inf" }.to_owned()
    } else {
        float_g(value)
    }
}

/// As [`float_yaml`], but rounded to a `float32` first, which may overflow to an infinity.
pub(crate) fn float_yaml32(value: f64) -> String {
    let narrow = value as f32;
    if narrow.is_finite() {
        float_g32(value)
    } else {
        float_yaml(f64::from(narrow))
    }
}

/// Go's name for NaN or an infinity.
pub(crate) fn special(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        Some("NaN")
    } else if value.is_infinite() {
        Some(if value > 0.0 { "+Inf" } else { "-Inf" })
    } else {
        None
    }
}

/// A float as `encoding/json` writes it, `None` for NaN and the infinities.
pub fn float_json(value: f64) -> Option<String> {
    if !value.is_finite() {
        return None;
    }
    let shortest = Shortest::from_scientific(&format!("{value:e}"));
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = shortest.scientific();
        // JSON drops the zero of a two-digit negative exponent, and only of that.
        return Some(match text.strip_suffix(|c: char| c.is_ascii_digit()) {
            Some(head) if head.ends_with("e-0") => {
                format!("{}{}", &head[..head.len() - 1], &text[head.len()..])
            }
            _ => text,
        });
    }
    Some(shortest.decimal())
}
