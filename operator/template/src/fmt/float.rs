//! Go's strconv of floats: shortest or with a precision, as `%e`, `%f`, `%g`, `%b` or `%x`.

/// Formats with one of the verbs `e E f g G b x X`; without precision as short as it can be read back from.
/// Non-negative numbers have no sign.
pub(super) fn format(value: f64, verb: char, precision: Option<usize>) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    match verb {
        'f' => match precision {
            Some(places) => format!("{value:.places$}"),
            None => format!("{value}"),
        },
        'b' => binary(value),
        'x' | 'X' => hex(value, precision, verb == 'X'),
        'e' | 'E' => exponent(&scientific(value, precision), verb),
        _ => general(value, verb, precision),
    }
}

/// Rust's `1.5e3`, with this many places if given.
fn scientific(value: f64, precision: Option<usize>) -> String {
    match precision {
        Some(places) => format!("{value:.places$e}"),
        None => format!("{value:e}"),
    }
}

/// From Rust's `1.5e3` to Go's `1.5e+03`.
fn exponent(rust: &str, verb: char) -> String {
    let (mantissa, power) = rust.split_once('e').unwrap_or((rust, "0"));
    let (sign, digits) = match power.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', power),
    };
    format!("{mantissa}{verb}{sign}{digits:0>2}")
}

fn general(value: f64, verb: char, precision: Option<usize>) -> String {
    let e = if verb == 'G' { 'E' } else { 'e' };
    let places = precision.map(|digits| digits.max(1) - 1);
    let rust = scientific(value, places);
    let (mantissa, power) = rust.split_once('e').unwrap_or((&rust, "0"));
    let power: i32 = power.parse().unwrap_or_default();
    let mantissa = if mantissa.contains('.') {
        mantissa.trim_end_matches('0').trim_end_matches('.')
    } else {
        mantissa
    };
    let count = mantissa.bytes().filter(u8::is_ascii_digit).count() as i32;
    // Digits that are there anyway need no exponent, even beyond the precision.
    let mut threshold = precision.map_or(6, |digits| digits.max(1) as i32);
    if precision.is_some() && threshold > count && count > power {
        threshold = count;
    }
    if power < -4 || power >= threshold {
        return exponent(&format!("{mantissa}e{power}"), e);
    }
    let places = (count - power - 1).max(0) as usize;
    // The digits are already rounded to the precision: printing them again must not see more of the value.
    let rounded: f64 = format!("{mantissa}e{power}").parse().unwrap_or(value);
    format!("{rounded:.places$}")
}

fn parts(value: f64) -> (bool, u64, i64) {
    let bits = value.to_bits();
    let biased = (bits >> 52 & 0x7ff) as i64;
    let fraction = bits & ((1 << 52) - 1);
    let (mantissa, power) = if biased == 0 {
        (fraction, -1074)
    } else {
        (fraction | 1 << 52, biased - 1075)
    };
    (bits >> 63 == 1, mantissa, power)
}

fn binary(value: f64) -> String {
    let (negative, mantissa, power) = parts(value);
    format!("{}{mantissa}p{power:+}", if negative { "-" } else { "" })
}

fn hex(value: f64, precision: Option<usize>, upper: bool) -> String {
    let (negative, mut mantissa, power) = parts(value);
    let mut power = power + 52;
    if mantissa == 0 {
        power = 0;
    } else {
        let shift = i64::from(mantissa.leading_zeros()) - 11;
        mantissa <<= shift;
        power -= shift;
    }
    let mut digits = format!("{:013x}", mantissa & ((1 << 52) - 1));
    let mut whole = mantissa >> 52;
    if let Some(places) = precision.filter(|&places| places < 13) {
        let drop = 4 * (13 - places);
        let mut kept = mantissa >> drop;
        let rest = mantissa & ((1 << drop) - 1);
        let half = 1u64 << (drop - 1);
        if rest > half || rest == half && kept & 1 == 1 {
            kept += 1;
        }
        if kept >> (4 * places) >= 2 {
            kept >>= 1;
            power += 1;
        }
        whole = kept >> (4 * places);
        digits = if places == 0 {
            String::new()
        } else {
            format!("{:0places$x}", kept & ((1 << (4 * places)) - 1))
        };
    } else if let Some(places) = precision {
        digits = format!("{digits:0<places$}");
    } else {
        digits.truncate(digits.trim_end_matches('0').len());
    }
    let point = if digits.is_empty() { "" } else { "." };
    let sign = if negative { "-" } else { "" };
    let power_sign = if power < 0 { '-' } else { '+' };
    let text = format!(
        "{sign}0x{whole}{point}{digits}p{power_sign}{:02}",
        power.abs()
    );
    if upper { text.to_uppercase() } else { text }
}
