//! Reading a time by a layout.

use jiff::tz::TimeZone;

use super::layout::{self, MONTHS, OffsetForm, Part, WEEKDAYS};
use super::scan::{Bad, fixed, fraction_digits, name, nanos, quote, skip, two, zone_name};
use super::{DAY, Time, Zone, days_from_civil, days_in, is_leap, offset_named};

/// What Go says about a text that is no such time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// A part of the text is not what the layout wants there.
    #[error("parsing time {text} as {layout}: cannot parse {part} as {wanted}")]
    Mismatch {
        /// The text, quoted.
        text: String,
        /// The layout, quoted.
        layout: String,
        /// The rest of the text that could not be read, quoted.
        part: String,
        /// The part of the layout, quoted.
        wanted: String,
    },
    /// The text fits the layout but is no time.
    #[error("parsing time {text}: {reason}")]
    Reason {
        /// The text, quoted.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
}

#[derive(Default)]
struct Fields {
    year: i64,
    month: Option<u32>,
    day: Option<u32>,
    year_day: Option<u32>,
    hour: u32,
    minute: u32,
    second: u32,
    nanos: i32,
    morning: bool,
    afternoon: bool,
    utc: bool,
    offset: Option<i32>,
    zone: Vec<u8>,
    /// What was found out of range.
    range: Option<&'static str>,
}

pub(super) fn parse(layout: &[u8], text: &[u8], local: &TimeZone) -> Result<Time, TimeError> {
    let mismatch = |wanted: &[u8], part: &[u8]| TimeError::Mismatch {
        text: quote(text),
        layout: quote(layout),
        part: quote(part),
        wanted: quote(wanted),
    };
    let reason = |reason: String| TimeError::Reason {
        text: quote(text),
        reason,
    };
    let mut fields = Fields::default();
    let (mut rest, mut value) = (layout, text);
    loop {
        let piece = layout::next(rest);
        value = skip(value, piece.before).map_err(|at| mismatch(piece.before, at))?;
        let Some((part, written)) = piece.part else {
            if value.is_empty() {
                break;
            }
            return Err(reason(format!("extra text: {}", quote(value))));
        };
        rest = piece.after;
        let read = fields.read(part, value, rest);
        if let Some(range) = fields.range {
            return Err(reason(format!("{range} out of range")));
        }
        value = read.map_err(|Bad| mismatch(written, value))?;
    }
    fields.finish(local).map_err(|text| reason(text.to_owned()))
}

impl Fields {
    fn read<'v>(&mut self, part: Part, value: &'v [u8], layout: &[u8]) -> Result<&'v [u8], Bad> {
        let rest = match part {
            Part::Year2 => {
                let (year, rest) = fixed(value, 2)?;
                self.year = i64::from(year) + if year >= 69 { 1900 } else { 2000 };
                rest
            }
            Part::LongYear => {
                let (year, rest) = fixed(value, 4)?;
                self.year = i64::from(year);
                rest
            }
            Part::ShortMonth | Part::LongMonth => {
                let (month, rest) = name(&MONTHS, value, part == Part::ShortMonth)?;
                self.month = Some(month + 1);
                rest
            }
            Part::ShortWeekday | Part::LongWeekday => {
                name(&WEEKDAYS, value, part == Part::ShortWeekday)?.1
            }
            Part::Month | Part::Month2 => {
                let (month, rest) = two(value, part == Part::Month2)?;
                self.check((1..=12).contains(&month), "month");
                self.month = Some(month);
                rest
            }
            Part::Day | Part::DayBlank | Part::Day2 => {
                let value = match value {
                    [b' ', rest @ ..] if part == Part::DayBlank => rest,
                    _ => value,
                };
                let (day, rest) = two(value, part == Part::Day2)?;
                self.day = Some(day);
                rest
            }
            Part::YearDayBlank | Part::YearDay3 => {
                let blanks = value.iter().take(2).take_while(|&&b| b == b' ').count();
                let value = if part == Part::YearDayBlank {
                    &value[blanks..]
                } else {
                    value
                };
                let digits = value
                    .iter()
                    .take(3)
                    .take_while(|b| b.is_ascii_digit())
                    .count();
                if digits == 0 || part == Part::YearDay3 && digits != 3 {
                    return Err(Bad);
                }
                let (day, rest) = fixed(value, digits)?;
                self.year_day = Some(day);
                rest
            }
            Part::Hour24 | Part::Hour12 | Part::Hour12Two => {
                let (hour, rest) = two(value, part == Part::Hour12Two)?;
                self.check(hour < if part == Part::Hour24 { 24 } else { 13 }, "hour");
                self.hour = hour;
                rest
            }
            Part::Minute | Part::Minute2 => {
                let (minute, rest) = two(value, part == Part::Minute2)?;
                self.check(minute < 60, "minute");
                self.minute = minute;
                rest
            }
            Part::Second | Part::Second2 => {
                let (second, rest) = two(value, part == Part::Second2)?;
                self.check(second < 60, "second");
                self.second = second;
                self.unasked_fraction(rest, layout)?
            }
            Part::UpperHalf | Part::LowerHalf => {
                let (half, rest) = value.split_at_checked(2).ok_or(Bad)?;
                let upper = part == Part::UpperHalf;
                match half {
                    b"PM" if upper => self.afternoon = true,
                    b"pm" if !upper => self.afternoon = true,
                    b"AM" if upper => self.morning = true,
                    b"am" if !upper => self.morning = true,
                    _ => return Err(Bad),
                }
                rest
            }
            Part::Offset(form) => self.offset(form, value)?,
            Part::ZoneName => {
                if let Some(rest) = value.strip_prefix(b"UTC") {
                    self.utc = true;
                    return Ok(rest);
                }
                let (zone, rest) = value.split_at(zone_name(value).ok_or(Bad)?);
                self.zone = zone.to_vec();
                rest
            }
            Part::Fraction {
                digits,
                trimmed: false,
                ..
            } => {
                let (fraction, rest) = value.split_at_checked(digits + 1).ok_or(Bad)?;
                self.nanos = nanos(fraction)?;
                rest
            }
            Part::Fraction { .. } => {
                let digits = fraction_digits(value);
                if digits == 0 {
                    return Ok(value);
                }
                self.nanos = nanos(&value[..=digits])?;
                &value[digits + 1..]
            }
        };
        Ok(rest)
    }

    fn check(&mut self, holds: bool, what: &'static str) {
        if !holds {
            self.range = Some(what);
        }
    }

    /// A fraction behind the seconds is read even when the layout has none.
    fn unasked_fraction<'v>(&mut self, value: &'v [u8], layout: &[u8]) -> Result<&'v [u8], Bad> {
        let digits = fraction_digits(value);
        let asked = matches!(layout::next(layout).part, Some((Part::Fraction { .. }, _)));
        if digits == 0 || asked {
            return Ok(value);
        }
        self.nanos = nanos(&value[..=digits])?;
        Ok(&value[digits + 1..])
    }

    fn offset<'v>(&mut self, form: OffsetForm, value: &'v [u8]) -> Result<&'v [u8], Bad> {
        if let (true, [b'Z', rest @ ..]) = (form.z, value) {
            self.utc = true;
            return Ok(rest);
        }
        let colon = usize::from(form.colons);
        let len = 3 + (form.pairs - 1) * (2 + colon);
        let (text, rest) = value.split_at_checked(len).ok_or(Bad)?;
        if form.colons && text[3..].iter().step_by(3).any(|&b| b != b':') {
            return Err(Bad);
        }
        let pair = |index: usize| -> Result<u32, Bad> {
            let at = 1 + index * (2 + colon);
            text.get(at..at + 2)
                .map_or(Ok(0), |digits| Ok(two(digits, true)?.0))
        };
        let (hours, minutes, seconds) = (pair(0)?, pair(1)?, pair(2)?);
        self.check(hours <= 24, "time zone offset hour");
        self.check(minutes <= 60, "time zone offset minute");
        self.check(seconds <= 60, "time zone offset second");
        let total = ((hours * 60 + minutes) * 60 + seconds) as i32;
        self.offset = Some(match text[0] {
            b'+' => total,
            b'-' => -total,
            _ => return Err(Bad),
        });
        Ok(rest)
    }

    fn finish(mut self, local: &TimeZone) -> Result<Time, &'static str> {
        if self.afternoon && self.hour < 12 {
            self.hour += 12;
        } else if self.morning && self.hour == 12 {
            self.hour = 0;
        }
        if let Some(year_day) = self.year_day {
            self.resolve_year_day(year_day)?;
        }
        let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
        if day < 1 || day > days_in(month, self.year) {
            return Err("day out of range");
        }
        let clock = i64::from(self.hour * 3600 + self.minute * 60 + self.second);
        let seconds = days_from_civil(self.year, month, day) * DAY + clock;
        let at = |seconds, zone| Time {
            seconds,
            nanos: self.nanos,
            zone,
        };
        let zone_name = String::from_utf8_lossy(&self.zone).into_owned();
        if self.utc {
            return Ok(at(seconds, Zone::Utc));
        }
        if let Some(offset) = self.offset {
            let seconds = seconds - i64::from(offset);
            let here = Zone::Rules(local.clone());
            let (name, local_offset) = here.at(seconds);
            let known = local_offset == offset && (zone_name.is_empty() || name == zone_name);
            let zone = if known {
                here
            } else {
                Zone::Fixed {
                    name: zone_name,
                    offset,
                }
            };
            return Ok(at(seconds, zone));
        }
        if !zone_name.is_empty() {
            if let Some(offset) = offset_named(local, &zone_name, seconds) {
                return Ok(at(
                    seconds - i64::from(offset.seconds()),
                    Zone::Rules(local.clone()),
                ));
            }
            let hours = zone_name
                .strip_prefix("GMT")
                .and_then(|hours| hours.parse::<i32>().ok());
            // The distance of a foreign abbreviation is unknown; only `GMT+3` says it itself.
            return Ok(at(
                seconds,
                Zone::Fixed {
                    name: zone_name,
                    offset: 0,
                },
            )
            .shifted(hours.unwrap_or(0) * 3600));
        }
        Ok(Time::from_local(
            seconds,
            self.nanos,
            Zone::Rules(local.clone()),
        ))
    }

    fn resolve_year_day(&mut self, year_day: u32) -> Result<(), &'static str> {
        if year_day < 1 || year_day > 365 + u32::from(is_leap(self.year)) {
            return Err("day-of-year out of range");
        }
        let (mut month, mut day) = (1, year_day);
        while day > days_in(month, self.year) {
            day -= days_in(month, self.year);
            month += 1;
        }
        if self.month.is_some_and(|seen| seen != month) {
            return Err("day-of-year does not match month");
        }
        if self.day.is_some_and(|seen| seen != day) {
            return Err("day-of-year does not match day");
        }
        (self.month, self.day) = (Some(month), Some(day));
        Ok(())
    }
}

impl Time {
    /// The same clock in a zone that turns out to be `offset` seconds east.
    fn shifted(self, offset: i32) -> Self {
        match self.zone {
            Zone::Fixed { name, .. } => Self {
                zone: Zone::Fixed { name, offset },
                ..self
            },
            zone => Self { zone, ..self },
        }
    }
}
