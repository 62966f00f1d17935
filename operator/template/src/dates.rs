//! Go's `time.Time`, its layouts and its durations.
//!
//! Zones come from the tables bundled with jiff, so that a render does not depend on the machine's.
//!
//! ```
//! use belay_template::dates::{Time, Zone, parse_duration};
//! use jiff::tz::TimeZone;
//!
//! let time = Time::parse(b"2006-01-02 15:04 MST", b"2024-02-29 12:30 UTC", &TimeZone::UTC)?;
//! assert_eq!(time.format(b"Mon Jan _2 2006, 3:04PM"), b"Thu Feb 29 2024, 12:30PM");
//!
//! let berlin = Zone::load("Europe/Berlin", &TimeZone::UTC).expect("a bundled zone");
//! assert_eq!(time.within(berlin).format(b"15:04 MST"), b"13:30 CET");
//!
//! assert_eq!(parse_duration(b"1h30m").unwrap(), 5_400_000_000_000);
//! # Ok::<(), belay_template::dates::TimeError>(())
//! ```

mod duration;
mod format;
mod layout;
mod parse;
mod scan;

use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

pub use duration::{DurationError, display_duration, parse_duration, round_duration};
pub use parse::TimeError;

const DAY: i64 = 86_400;

/// A point in time and the zone that it is shown in.
#[derive(Debug, Clone)]
pub struct Time {
    /// Seconds since 1970 in UTC.
    seconds: i64,
    /// 0 to 999,999,999.
    nanos: i32,
    zone: Zone,
}

/// Where a time is shown.
#[derive(Debug, Clone)]
pub enum Zone {
    /// UTC.
    Utc,
    /// A zone with its own rules, e.g. the machine's.
    Rules(TimeZone),
    /// A constant distance to UTC.
    Fixed {
        /// What `MST` in a layout prints; empty when unknown.
        name: String,
        /// Seconds east of UTC.
        offset: i32,
    },
}

/// A date and a time of day, without a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    /// The year, 0 and negative ones before our era.
    pub year: i64,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    /// Day of the year, from 1.
    pub year_day: u32,
    /// 0 is Sunday.
    pub weekday: u32,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 59.
    pub second: u32,
}

impl Zone {
    /// Go's `time.LoadLocation`: "" and "UTC" are UTC, "Local" is `local`, anything else a name of the tz database
    /// in its exact spelling.
    pub fn load(name: &str, local: &TimeZone) -> Option<Self> {
        match name {
            "" | "UTC" => Some(Self::Utc),
            "Local" => Some(Self::Rules(local.clone())),
            _ => {
                let zone = TimeZoneDatabase::bundled().get(name).ok()?;
                (zone.iana_name() == Some(name)).then_some(Self::Rules(zone))
            }
        }
    }

    /// The abbreviation and the seconds east of UTC at that moment.
    fn at(&self, seconds: i64) -> (String, i32) {
        match self {
            Self::Utc => ("UTC".to_owned(), 0),
            Self::Fixed { name, offset } => (name.clone(), *offset),
            Self::Rules(zone) => {
                let info = zone.to_offset_info(timestamp(seconds));
                (info.abbreviation().to_owned(), info.offset().seconds())
            }
        }
    }
}

/// jiff knows the years -9999 to 9999; beyond them zones keep their last rule.
fn timestamp(seconds: i64) -> jiff::Timestamp {
    let seconds = seconds.clamp(
        jiff::Timestamp::MIN.as_second() + 1,
        jiff::Timestamp::MAX.as_second() - 1,
    );
    jiff::Timestamp::from_second(seconds).unwrap_or_default()
}

impl Time {
    /// Go's zero time, the first of January of the year 1.
    pub fn zero() -> Self {
        Self {
            seconds: days_from_civil(1, 1, 1) * DAY,
            nanos: 0,
            zone: Zone::Utc,
        }
    }

    /// The time so many seconds after 1970 began in UTC.
    pub fn unix(seconds: i64, zone: Zone) -> Self {
        Self {
            seconds,
            nanos: 0,
            zone,
        }
    }

    /// A moment of the machine's clock.
    pub fn from_timestamp(now: jiff::Timestamp, zone: Zone) -> Self {
        let nanos = now.as_nanosecond();
        let seconds = nanos.div_euclid(1_000_000_000) as i64;
        Self {
            seconds,
            nanos: nanos.rem_euclid(1_000_000_000) as i32,
            zone,
        }
    }

    /// The same moment shown in another zone.
    #[must_use]
    pub fn within(&self, zone: Zone) -> Self {
        Self {
            zone,
            ..self.clone()
        }
    }

    /// Seconds since 1970.
    pub fn unix_seconds(&self) -> i64 {
        self.seconds
    }

    /// Nanoseconds within the second.
    pub fn nanosecond(&self) -> i32 {
        self.nanos
    }

    /// Nanoseconds since 1970; wraps outside of the years 1678 to 2262, as Go's does.
    pub fn unix_nanos(&self) -> i64 {
        self.seconds
            .wrapping_mul(1_000_000_000)
            .wrapping_add(i64::from(self.nanos))
    }

    /// Date and clock in the time's zone.
    pub fn civil(&self) -> Civil {
        let (_, offset) = self.zone.at(self.seconds);
        civil(self.seconds.wrapping_add(i64::from(offset)))
    }

    /// The zone's abbreviation and its seconds east of UTC at this time.
    pub fn offset(&self) -> (String, i32) {
        self.zone.at(self.seconds)
    }

    /// Whether this is Go's zero time.
    pub fn is_zero(&self) -> bool {
        let zero = Self::zero();
        (self.seconds, self.nanos) == (zero.seconds, zero.nanos)
    }

    /// Which of two moments is earlier, whatever their zones.
    pub fn order(&self, other: &Self) -> std::cmp::Ordering {
        (self.seconds, self.nanos).cmp(&(other.seconds, other.nanos))
    }

    /// The time so many nanoseconds later.
    #[must_use]
    pub fn plus(&self, nanos: i64) -> Self {
        let total = i64::from(self.nanos) + nanos % 1_000_000_000;
        Self {
            seconds: self
                .seconds
                .wrapping_add(nanos / 1_000_000_000)
                .wrapping_add(total.div_euclid(1_000_000_000)),
            nanos: total.rem_euclid(1_000_000_000) as i32,
            zone: self.zone.clone(),
        }
    }

    /// The nanoseconds from `earlier` to this time, held within 64 bits.
    pub fn since(&self, earlier: &Self) -> i64 {
        let seconds = i128::from(self.seconds) - i128::from(earlier.seconds);
        let nanos = seconds * 1_000_000_000 + i128::from(self.nanos - earlier.nanos);
        nanos.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
    }

    /// The same clock time so many years, months and days later; the 31st of a short month runs over.
    #[must_use]
    pub fn plus_date(&self, years: i64, months: i64, days: i64) -> Self {
        let now = self.civil();
        let clock = i64::from(now.hour) * 3600 + i64::from(now.minute) * 60 + i64::from(now.second);
        let month = i64::from(now.month) - 1 + months;
        let year = now.year + years + month.div_euclid(12);
        let first = days_from_civil(year, month.rem_euclid(12) as u32 + 1, 1);
        let day = first + i64::from(now.day) - 1 + days;
        Self::from_local(day * DAY + clock, self.nanos, self.zone.clone())
    }

    /// The time at which clocks in the zone show `local` (seconds as if the zone were UTC).
    fn from_local(local: i64, nanos: i32, zone: Zone) -> Self {
        // Go's way through gaps and overlaps: guess with the offset there, correct once.
        let (_, guess) = zone.at(local);
        let (_, offset) = zone.at(local - i64::from(guess));
        let seconds = local - i64::from(if guess == 0 { 0 } else { offset });
        Self {
            seconds,
            nanos,
            zone,
        }
    }

    /// Prints the time by a layout that shows how the reference time `Mon Jan 2 15:04:05 MST 2006` would look.
    pub fn format(&self, layout: &[u8]) -> Vec<u8> {
        format::format(self, layout)
    }

    /// Reads a time with its offset, such as `2006-01-02T15:04:05.5+07:00`.
    ///
    /// # Errors
    /// As [`Time::parse`].
    pub fn parse_rfc3339(text: &[u8]) -> Result<Self, TimeError> {
        Self::parse(b"2006-01-02T15:04:05Z07:00", text, &TimeZone::UTC)
    }

    /// Reads a time by a layout; a time without a zone is one of `local`.
    ///
    /// # Errors
    /// Go's text about what does not fit the layout, or is out of range.
    pub fn parse(layout: &[u8], text: &[u8], local: &TimeZone) -> Result<Self, TimeError> {
        parse::parse(layout, text, local)
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.format(b"2006-01-02 15:04:05.999999999 -0700 MST");
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

/// Whether February has 29 days.
fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(month: u32, year: i64) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970 of a date in the proleptic Gregorian calendar.
fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    // Years that begin in March keep the leap day at their end.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let shifted = i64::from((month + 9) % 12);
    let of_year = (153 * shifted + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil(seconds: i64) -> Civil {
    let (days, clock) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY) as u32);
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = (of_year - (153 * month + 2) / 5 + 1) as u32;
    let month = if month < 10 { month + 3 } else { month - 9 } as u32;
    let year = year + era * 400 + i64::from(month <= 2);
    Civil {
        year,
        month,
        day,
        year_day: (days - days_from_civil(year, 1, 1)) as u32 + 1,
        weekday: (days + 4).rem_euclid(7) as u32,
        hour: clock / 3600,
        minute: clock / 60 % 60,
        second: clock % 60,
    }
}

/// The seconds east of UTC in the zone, when one of its abbreviations around that moment has this name.
fn offset_named(zone: &TimeZone, name: &str, seconds: i64) -> Option<Offset> {
    const HALF_YEAR: i64 = 182 * DAY;
    [0, -HALF_YEAR, HALF_YEAR].into_iter().find_map(|shift| {
        let info = zone.to_offset_info(timestamp(seconds + shift));
        (info.abbreviation() == name).then(|| info.offset())
    })
}

#[cfg(test)]
mod tests;
