//! Printing a time by a layout.

use std::io::Write as _;

use super::Time;
use super::layout::{self, MONTHS, OffsetForm, Part, WEEKDAYS};

pub(super) fn format(time: &Time, layout: &[u8]) -> Vec<u8> {
    let civil = time.civil();
    let (zone, offset) = time.offset();
    let half_day = match civil.hour % 12 {
        0 => 12,
        hour => hour,
    };
    let mut out = Vec::with_capacity(layout.len() + 10);
    let mut rest = layout;
    loop {
        let piece = layout::next(rest);
        out.extend_from_slice(piece.before);
        let Some((part, _)) = piece.part else {
            return out;
        };
        rest = piece.after;
        match part {
            Part::LongMonth => out.extend_from_slice(month(civil.month).as_bytes()),
            Part::ShortMonth => out.extend_from_slice(&month(civil.month).as_bytes()[..3]),
            Part::LongWeekday => out.extend_from_slice(weekday(civil.weekday).as_bytes()),
            Part::ShortWeekday => out.extend_from_slice(&weekday(civil.weekday).as_bytes()[..3]),
            Part::Month => number(&mut out, civil.month, 0),
            Part::Month2 => number(&mut out, civil.month, 2),
            Part::Day => number(&mut out, civil.day, 0),
            Part::DayBlank => blank(&mut out, civil.day, 2),
            Part::Day2 => number(&mut out, civil.day, 2),
            Part::YearDayBlank => blank(&mut out, civil.year_day, 3),
            Part::YearDay3 => number(&mut out, civil.year_day, 3),
            Part::Hour24 => number(&mut out, civil.hour, 2),
            Part::Hour12 => number(&mut out, half_day, 0),
            Part::Hour12Two => number(&mut out, half_day, 2),
            Part::Minute => number(&mut out, civil.minute, 0),
            Part::Minute2 => number(&mut out, civil.minute, 2),
            Part::Second => number(&mut out, civil.second, 0),
            Part::Second2 => number(&mut out, civil.second, 2),
            Part::LongYear => {
                if civil.year < 0 {
                    out.push(b'-');
                }
                let _ = write!(out, "{:04}", civil.year.abs());
            }
            Part::Year2 => {
                let _ = write!(out, "{:02}", civil.year.abs() % 100);
            }
            Part::UpperHalf => out.extend_from_slice(if civil.hour >= 12 { b"PM" } else { b"AM" }),
            Part::LowerHalf => out.extend_from_slice(if civil.hour >= 12 { b"pm" } else { b"am" }),
            Part::ZoneName if zone.is_empty() => write_offset(&mut out, offset, NUMERIC),
            Part::ZoneName => out.extend_from_slice(zone.as_bytes()),
            Part::Offset(form) => write_offset(&mut out, offset, form),
            Part::Fraction {
                digits,
                mark,
                trimmed,
            } => {
                fraction(&mut out, time.nanosecond(), digits, mark, trimmed);
            }
        }
    }
}

const NUMERIC: OffsetForm = OffsetForm {
    z: false,
    colons: false,
    pairs: 2,
};

fn month(number: u32) -> &'static str {
    MONTHS[number as usize - 1]
}

fn weekday(number: u32) -> &'static str {
    WEEKDAYS[number as usize]
}

// Writing into a Vec cannot fail.
fn number(out: &mut Vec<u8>, number: u32, width: usize) {
    let _ = write!(out, "{number:0width$}");
}

fn blank(out: &mut Vec<u8>, number: u32, width: usize) {
    let _ = write!(out, "{number:width$}");
}

fn write_offset(out: &mut Vec<u8>, offset: i32, form: OffsetForm) {
    if form.z && offset == 0 {
        out.push(b'Z');
        return;
    }
    // Go judges the sign by whole minutes.
    out.push(if offset / 60 < 0 { b'-' } else { b'+' });
    let offset = offset.unsigned_abs();
    let colon = if form.colons { ":" } else { "" };
    let _ = write!(out, "{:02}", offset / 3600);
    if form.pairs > 1 {
        let _ = write!(out, "{colon}{:02}", offset / 60 % 60);
    }
    if form.pairs > 2 {
        let _ = write!(out, "{colon}{:02}", offset % 60);
    }
}

fn fraction(out: &mut Vec<u8>, nanos: i32, digits: usize, mark: u8, trimmed: bool) {
    if trimmed && nanos == 0 {
        return;
    }
    let all = format!("{nanos:09}");
    let mut shown = &all[..digits.min(9)];
    if trimmed {
        shown = shown.trim_end_matches('0');
        if shown.is_empty() {
            return;
        }
    }
    out.push(mark);
    out.extend_from_slice(shown.as_bytes());
}
