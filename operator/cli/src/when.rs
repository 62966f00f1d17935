//! Times as people read them.

use belay_api::{Duration, Timestamp};

/// Now, for commands; pages get it handed in.
pub(crate) fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_millisecond())
}

/// A span with its two largest units: `3d4h`, `5m12s`, `8s`.
pub(crate) fn span(span: Duration) -> String {
    let seconds = span.0 / 1000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes, seconds % 60) {
        (0, 0, 0, seconds) => format!("{seconds}s"),
        (0, 0, minutes, seconds) => format!("{minutes}m{seconds}s"),
        (0, hours, minutes, _) => format!("{hours}h{minutes}m"),
        (days, hours, ..) => format!("{days}d{hours}h"),
    }
}

/// How long ago an instant was.
pub(crate) fn ago(instant: Timestamp, now: Timestamp) -> String {
    format!("{} ago", span(now.since(instant)))
}

/// How far away an instant is.
pub(crate) fn ahead(instant: Timestamp, now: Timestamp) -> String {
    if instant > now {
        format!("in {}", span(instant.since(now)))
    } else {
        "now".to_owned()
    }
}

/// As `helm history` prints times: in the local zone, `Mon Jan  2 15:04:05 2006`.
pub(crate) fn like_helm(instant: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(instant.0)
        .unwrap_or_default()
        .to_zoned(jiff::tz::TimeZone::system())
        .strftime("%a %b %e %H:%M:%S %Y")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_in_its_two_largest_units() {
        let told = |seconds| span(Duration::seconds(seconds));
        assert_eq!(
            [told(8), told(312), told(7260), told(273_600)],
            ["8s", "5m12s", "2h1m", "3d4h"]
        );
    }

    #[test]
    fn what_is_past_is_not_ahead() {
        assert_eq!(ahead(Timestamp(1000), Timestamp(5000)), "now");
        assert_eq!(ahead(Timestamp(65_000), Timestamp(5000)), "in 1m0s");
    }
}
