use jiff::tz::TimeZone;

use super::{Time, Zone, display_duration, parse_duration, round_duration};

fn shown(seconds: i64, zone: &str, layout: &str) -> String {
    let zone = Zone::load(zone, &TimeZone::UTC).expect(zone);
    String::from_utf8(Time::unix(seconds, zone).format(layout.as_bytes())).expect("text")
}

#[test]
fn layouts_show_how_the_reference_time_would_look() {
    let cases: &[(i64, &str, &str, &str)] = &[
        (
            1_700_000_000,
            "Asia/Kolkata",
            "2006-01-02T15:04:05Z07:00",
            "2023-11-15T03:43:20+05:30",
        ),
        (
            1_700_000_000,
            "Asia/Kolkata",
            "Monday, 02-Jan-06 3:04pm MST",
            "Wednesday, 15-Nov-23 3:43am IST",
        ),
        (
            1_700_000_000,
            "Asia/Kolkata",
            "Jan _2 002 __2 .000",
            "Nov 15 319 319 .000",
        ),
        (
            0,
            "America/New_York",
            "Mon Jan _2 15:04:05 -0700 MST 2006",
            "Wed Dec 31 19:00:00 -0500 EST 1969",
        ),
        (
            1_709_210_096,
            "UTC",
            "02 2 01 1 06 03 3 PM Z0700 -07:00:00",
            "29 29 02 2 24 12 12 PM Z +00:00:00",
        ),
        (-62_135_596_801, "UTC", "2006-01-02", "0000-12-31"),
        (253_402_300_800, "UTC", "2006-01-02", "10000-01-01"),
        (
            1_720_000_000,
            "Australia/Lord_Howe",
            "15:04 -07:00 MST",
            "20:16 +10:30 +1030",
        ),
        (1_720_000_000, "Europe/Dublin", "MST", "IST"),
        (1_720_000_000, "America/Sao_Paulo", "MST", "-03"),
        (951_782_400, "UTC", "Janet Mond _2006", "Janet Mond _2000"),
    ];
    for (seconds, zone, layout, expected) in cases {
        assert_eq!(
            shown(*seconds, zone, layout),
            *expected,
            "{layout} in {zone}"
        );
    }
}

#[test]
fn zones_are_known_by_their_exact_names() {
    for name in ["america/new_york", "Nope/Zone", "../UTC"] {
        assert!(Zone::load(name, &TimeZone::UTC).is_none(), "{name}");
    }
    for name in ["", "UTC", "Local", "Europe/Dublin"] {
        assert!(Zone::load(name, &TimeZone::UTC).is_some(), "{name}");
    }
}

#[test]
fn texts_are_read_by_layout() {
    let cases = &[
        ("2006-01-02", "2024-02-29", "2024-02-29 00:00:00 +0000 UTC"),
        (
            "2006-01-02",
            "2023-02-29",
            r#"parsing time "2023-02-29": day out of range"#,
        ),
        (
            "2006-01-02",
            "2024-13-01",
            r#"parsing time "2024-13-01": month out of range"#,
        ),
        (
            "2006-01-02",
            "24-1-1",
            r#"parsing time "24-1-1" as "2006-01-02": cannot parse "24-1-1" as "2006""#,
        ),
        (
            "2006-01-02",
            "2024-01-02x",
            r#"parsing time "2024-01-02x": extra text: "x""#,
        ),
        (
            "2006-01-02T15:04:05Z07:00",
            "2024-05-06T07:08:09.123456789-05:30",
            "2024-05-06 07:08:09.123456789 -0530 -0530",
        ),
        (
            "2006-01-02T15:04:05Z07:00",
            "2024-05-06T07:08:09Z",
            "2024-05-06 07:08:09 +0000 UTC",
        ),
        ("3:04PM", "12:22AM", "0000-01-01 00:22:00 +0000 UTC"),
        (
            "15:04",
            "25:00",
            r#"parsing time "25:00": hour out of range"#,
        ),
        ("2006 002", "2024 060", "2024-02-29 00:00:00 +0000 UTC"),
        (
            "2006-01-02 002",
            "2024-03-01 062",
            r#"parsing time "2024-03-01 062": day-of-year does not match day"#,
        ),
        ("06", "69", "1969-01-01 00:00:00 +0000 UTC"),
        ("January 2", "march 7", "0000-03-07 00:00:00 +0000 UTC"),
        ("MST", "GMT+3", "0000-01-01 03:00:00 +0300 GMT+3"),
        (
            "-0700",
            "+2500",
            r#"parsing time "+2500": time zone offset hour out of range"#,
        ),
        (
            "2006-01-02 MST",
            "2024-01-01 PST",
            "2024-01-01 00:00:00 +0000 PST",
        ),
    ];
    for (layout, text, expected) in cases {
        let read = Time::parse(layout.as_bytes(), text.as_bytes(), &TimeZone::UTC);
        let read = read.map_or_else(|error| error.to_string(), |time| time.to_string());
        assert_eq!(read, *expected, "{text} as {layout}");
    }
}

#[test]
fn what_is_printed_is_read_again() {
    let layout = b"2006-01-02 15:04:05.999999999 -0700";
    for seconds in (-62_000_000_000_i64..253_000_000_000).step_by(7_919_999_983) {
        let time = Time::unix(seconds, Zone::Utc);
        let read = Time::parse(layout, &time.format(layout), &TimeZone::UTC).expect("a time");
        assert!(read.order(&time).is_eq(), "{time}");
    }
}

#[test]
fn a_clock_time_that_is_skipped_or_comes_twice_is_read_as_go_reads_it() {
    let zone = TimeZone::get("America/New_York").expect("zone");
    let parse = |text: &[u8]| Time::parse(b"2006-01-02 15:04", text, &zone).expect("a time");
    assert_eq!(
        parse(b"2024-03-10 02:30").to_string(),
        "2024-03-10 01:30:00 -0500 EST"
    );
    assert_eq!(
        parse(b"2024-11-03 01:30").to_string(),
        "2024-11-03 01:30:00 -0400 EDT"
    );
}

#[test]
fn durations_are_read_and_printed() {
    let cases = [
        ("1h2m3.5s", "1h2m3.5s"),
        ("-1.5h", "-1h30m0s"),
        ("0", "0s"),
        ("3ms2ns", "3.000002ms"),
        ("1µs", "1µs"),
        ("100000000ns", "100ms"),
        ("-2562047h47m16.854775808s", "-2562047h47m16.854775808s"),
    ];
    for (text, expected) in cases {
        let nanos = parse_duration(text.as_bytes()).expect(text);
        assert_eq!(display_duration(nanos), expected);
    }
    let errors = [
        ("", r#"time: invalid duration """#),
        ("1d", r#"time: unknown unit "d" in duration "1d""#),
        ("1.5", r#"time: missing unit in duration "1.5""#),
        (
            "2562047h47m16.854775808s",
            r#"time: invalid duration "2562047h47m16.854775808s""#,
        ),
    ];
    for (text, expected) in errors {
        let error = parse_duration(text.as_bytes()).expect_err(text);
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn rounding_goes_away_from_zero() {
    assert_eq!(round_duration(1_500, 1_000), 2_000);
    assert_eq!(round_duration(-1_500, 1_000), -2_000);
    assert_eq!(round_duration(1_499, 1_000), 1_000);
    assert_eq!(round_duration(i64::MAX, 1_000_000_000), i64::MAX);
}
