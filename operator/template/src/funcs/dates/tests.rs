use crate::funcs::check::{fails, gives};

#[test]
fn dates_print_by_layout_and_zone() {
    gives(&[
        (
            r#"{{ dateInZone "2006-01-02T15:04:05Z07:00" (int64 1700000000) "Asia/Kolkata" }}"#,
            "2023-11-15T03:43:20+05:30",
        ),
        (
            r#"{{ date "Mon Jan _2 15:04:05 MST 2006" (int64 1700000000) }}"#,
            "Tue Nov 14 22:13:20 UTC 2023",
        ),
        (
            r#"{{ htmlDate (int64 0) }} {{ htmlDateInZone (int64 0) "America/New_York" }} {{ date_in_zone "15:04 MST" (int64 0) "Nope/Zone" }}"#,
            "1970-01-01 1969-12-31 00:00 UTC",
        ),
        (
            r#"{{ toDate "2006-01-02" "2024-02-29" | dateModify "-24h" }}"#,
            "2024-02-28 00:00:00 +0000 UTC",
        ),
        (
            r#"{{ toDate "2006-01-02" "bad" }} {{ (toDate "2006-01-02" "2024-02-29").Weekday }}"#,
            "0001-01-01 00:00:00 +0000 UTC Thursday",
        ),
        (
            r#"{{ unixEpoch (toDate "2006-01-02" "2024-02-29") }} {{ dateModify "x" (toDate "2006" "2024") }}"#,
            "1709164800 2024-01-01 00:00:00 +0000 UTC",
        ),
    ]);
}

#[test]
fn durations() {
    gives(&[
        (
            r#"{{ duration "95" }} {{ duration (int64 3661) }} {{ duration 95 }}"#,
            "1m35s 1h1m1s 0s",
        ),
        (
            r#"{{ durationRound "2h10m5s" }} {{ durationRound "2400h" }} {{ durationRound (int64 1500000000) }} {{ durationRound "x" }} {{ durationRound "1h" }}"#,
            "2h 3mo 1s 0s 60m",
        ),
    ]);
}

#[test]
fn times_have_methods() {
    gives(&[(
        r#"{{ $t := toDate "2006-01-02 15:04:05" "2024-01-31 10:11:12" }}{{ $t.Year }} {{ $t.Month }} {{ $t.Day }} {{ $t.YearDay }} {{ $t.Unix }} {{ $t.AddDate 0 1 0 }} {{ $t.Sub (toDate "2006" "2024") }} {{ $t.Format "Jan" }} {{ toJson $t }}"#,
        r#"2024 January 31 31 1706695872 2024-03-02 10:11:12 +0000 UTC 730h11m12s Jan "2024-01-31T10:11:12Z""#,
    )]);
}

#[test]
fn must_twins_fail() {
    fails(&[
        (
            r#"{{ mustToDate "2006-01-02" "2024-13-01" }}"#,
            r#"mustToDate: parsing time "2024-13-01": month out of range"#,
        ),
        (
            r#"{{ mustToDate "2006-01-02" "x" }}"#,
            r#"mustToDate: parsing time "x" as "2006-01-02": cannot parse "x" as "2006""#,
        ),
        (
            r#"{{ mustDateModify "1d" (toDate "2006" "2024") }}"#,
            r#"mustDateModify: time: unknown unit "d" in duration "1d""#,
        ),
    ]);
}
