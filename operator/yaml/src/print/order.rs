//! go-yaml's natural order of keys.

use unicode_general_category::{GeneralCategory, get_general_category};

use crate::read::Dialect;
use crate::{Map, Value};

/// The entries of a mapping in the order in which go-yaml prints them.
pub(super) fn sorted(entries: &Map, dialect: Dialect) -> Vec<(&str, &Value)> {
    let entries: Vec<_> = entries
        .iter()
        .map(|(key, value)| (key.as_str(), value))
        .collect();
    merge_sort(entries, dialect)
}

/// go-yaml's order is not total for every set of keys, which the standard library's sorts may answer with a panic.
fn merge_sort<'m>(
    mut entries: Vec<(&'m str, &'m Value)>,
    dialect: Dialect,
) -> Vec<(&'m str, &'m Value)> {
    if entries
        .windows(2)
        .all(|pair| !less(pair[1].0, pair[0].0, dialect))
    {
        return entries;
    }
    let right = entries.split_off(entries.len() / 2);
    let left = merge_sort(entries, dialect);
    let right = merge_sort(right, dialect);
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let next = if less(b.0, a.0, dialect) {
            right.next()
        } else {
            left.next()
        };
        merged.extend(next);
    }
    merged.extend(left);
    merged.extend(right);
    merged
}

/// Whether `a` comes before `b`: numbers by value, letters after everything else.
fn less(a: &str, b: &str, dialect: Dialect) -> bool {
    if a.is_ascii() && b.is_ascii() {
        return less_by(a.as_bytes(), b.as_bytes(), dialect);
    }
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    less_by(&a, &b, dialect)
}

trait Symbol: Copy + Ord {
    fn is_letter(self) -> bool;
    fn is_digit(self) -> bool;
    fn code(self) -> i64;
}

impl Symbol for u8 {
    fn is_letter(self) -> bool {
        self.is_ascii_alphabetic()
    }

    fn is_digit(self) -> bool {
        self.is_ascii_digit()
    }

    fn code(self) -> i64 {
        i64::from(self)
    }
}

impl Symbol for char {
    fn is_letter(self) -> bool {
        use GeneralCategory as G;
        matches!(
            get_general_category(self),
            G::UppercaseLetter
                | G::LowercaseLetter
                | G::TitlecaseLetter
                | G::ModifierLetter
                | G::OtherLetter
        )
    }

    fn is_digit(self) -> bool {
        get_general_category(self) == GeneralCategory::DecimalNumber
    }

    fn code(self) -> i64 {
        i64::from(u32::from(self))
    }
}

fn less_by<S: Symbol>(a: &[S], b: &[S], dialect: Dialect) -> bool {
    let Some(at) = a.iter().zip(b).position(|(x, y)| x != y) else {
        return a.len() < b.len();
    };
    let (x, y) = (a[at], b[at]);
    match (x.is_letter(), y.is_letter()) {
        (true, true) => return x < y,
        (false, false) => {}
        (x_letter, y_letter) => {
            let after_digits = dialect == Dialect::V3 && at > 0 && a[at - 1].is_digit();
            return if after_digits { x_letter } else { y_letter };
        }
    }
    // Within a number that has begun, a zero counts.
    let zero = i64::from(b'0');
    let mut head = 0;
    if x.code() == zero || y.code() == zero {
        let begun = a[..at]
            .iter()
            .rev()
            .take_while(|s| s.is_digit())
            .any(|s| s.code() != zero);
        head = i64::from(begun);
    }
    let number = |symbols: &[S]| {
        let digits = symbols[at..].iter().take_while(|s| s.is_digit());
        digits.fold((head, 0_usize), |(sum, count), digit| {
            // Go's integers wrap.
            (
                sum.wrapping_mul(10).wrapping_add(digit.code() - zero),
                count + 1,
            )
        })
    };
    let (a_number, b_number) = (number(a), number(b));
    if a_number == b_number {
        x < y
    } else {
        a_number < b_number
    }
}
