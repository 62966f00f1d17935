//! Go's layouts: the parts of the reference time that stand for parts of any time.

/// A part of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    LongMonth,
    ShortMonth,
    Month,
    Month2,
    LongWeekday,
    ShortWeekday,
    Day,
    DayBlank,
    Day2,
    YearDayBlank,
    YearDay3,
    Hour24,
    Hour12,
    Hour12Two,
    Minute,
    Minute2,
    Second,
    Second2,
    LongYear,
    Year2,
    UpperHalf,
    LowerHalf,
    ZoneName,
    Offset(OffsetForm),
    /// Fractional seconds: their digits, the mark before them, and whether trailing zeros are left out.
    Fraction {
        digits: usize,
        mark: u8,
        trimmed: bool,
    },
}

/// How a distance to UTC is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OffsetForm {
    /// UTC is `Z`.
    pub(super) z: bool,
    /// A colon stands before each pair of digits but the first.
    pub(super) colons: bool,
    /// Pairs of digits: hours, then minutes, then seconds.
    pub(super) pairs: usize,
}

pub(super) const MONTHS: [&str; 12] = [
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
pub(super) const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// A piece of a layout: what stands before the next part, the part as written, and what follows.
pub(super) struct Piece<'l> {
    pub(super) before: &'l [u8],
    pub(super) part: Option<(Part, &'l [u8])>,
    pub(super) after: &'l [u8],
}

/// Cuts the layout at its first part.
pub(super) fn next(layout: &[u8]) -> Piece<'_> {
    for at in 0..layout.len() {
        if let Some((skip, part, len)) = part_at(&layout[at..]) {
            let start = at + skip;
            return Piece {
                before: &layout[..start],
                part: Some((part, &layout[start..start + len])),
                after: &layout[start + len..],
            };
        }
    }
    Piece {
        before: layout,
        part: None,
        after: b"",
    }
}

/// The part that begins here: bytes to leave alone before it, the part, and its length.
fn part_at(text: &[u8]) -> Option<(usize, Part, usize)> {
    let plain = |part, len| Some((0, part, len));
    let not_a_word = |len: usize| !text.get(len).is_some_and(u8::is_ascii_lowercase);
    match text[0] {
        b'J' if text.starts_with(b"January") => plain(Part::LongMonth, 7),
        b'J' if text.starts_with(b"Jan") && not_a_word(3) => plain(Part::ShortMonth, 3),
        b'M' if text.starts_with(b"Monday") => plain(Part::LongWeekday, 6),
        b'M' if text.starts_with(b"Mon") && not_a_word(3) => plain(Part::ShortWeekday, 3),
        b'M' if text.starts_with(b"MST") => plain(Part::ZoneName, 3),
        b'0' => match text.get(1)? {
            b'1' => plain(Part::Month2, 2),
            b'2' => plain(Part::Day2, 2),
            b'3' => plain(Part::Hour12Two, 2),
            b'4' => plain(Part::Minute2, 2),
            b'5' => plain(Part::Second2, 2),
            b'6' => plain(Part::Year2, 2),
            b'0' if text.get(2) == Some(&b'2') => plain(Part::YearDay3, 3),
            _ => None,
        },
        b'1' if text.get(1) == Some(&b'5') => plain(Part::Hour24, 2),
        b'1' => plain(Part::Month, 1),
        b'2' if text.starts_with(b"2006") => plain(Part::LongYear, 4),
        b'2' => plain(Part::Day, 1),
        b'_' if text.starts_with(b"_2006") => Some((1, Part::LongYear, 4)),
        b'_' if text.starts_with(b"_2") => plain(Part::DayBlank, 2),
        b'_' if text.starts_with(b"__2") => plain(Part::YearDayBlank, 3),
        b'3' => plain(Part::Hour12, 1),
        b'4' => plain(Part::Minute, 1),
        b'5' => plain(Part::Second, 1),
        b'P' if text.starts_with(b"PM") => plain(Part::UpperHalf, 2),
        b'p' if text.starts_with(b"pm") => plain(Part::LowerHalf, 2),
        b'-' | b'Z' => offset(text).map(|(form, len)| (0, Part::Offset(form), len)),
        mark @ (b'.' | b',') => fraction(text, mark),
        _ => None,
    }
}

fn offset(text: &[u8]) -> Option<(OffsetForm, usize)> {
    let z = text[0] == b'Z';
    let form = |colons, pairs| OffsetForm { z, colons, pairs };
    let forms = [
        (&b"070000"[..], form(false, 3)),
        (b"07:00:00", form(true, 3)),
        (b"0700", form(false, 2)),
        (b"07:00", form(true, 2)),
        (b"07", form(false, 1)),
    ];
    forms.into_iter().find_map(|(digits, form)| {
        text[1..]
            .starts_with(digits)
            .then_some((form, digits.len() + 1))
    })
}

/// `.000` or `,999`: one digit repeated, and no other digit behind.
fn fraction(text: &[u8], mark: u8) -> Option<(usize, Part, usize)> {
    let digit = *text.get(1).filter(|digit| matches!(digit, b'0' | b'9'))?;
    let digits = text[1..].iter().take_while(|&&b| b == digit).count();
    if text.get(1 + digits).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    Some((
        0,
        Part::Fraction {
            digits,
            mark,
            trimmed: digit == b'9',
        },
        1 + digits,
    ))
}
