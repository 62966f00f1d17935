//! Growing pauses between tries.

use belay_api::Duration;

/// A pause that doubles with each failure in a row, up to a longest one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
}

/// Far beyond any longest pause, and no shift that overflows.
const MOST_DOUBLINGS: u32 = 32;
/// Into how many parts a quarter of a pause is divided.
const PARTS: u64 = 256;

impl Backoff {
    /// A pause of `first` after the first failure, and never more than `longest`.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// The pause after so many failures in a row, the last one included.
    pub fn after(self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(MOST_DOUBLINGS);
        let doubled = self.first.0.saturating_mul(1 << doublings);
        Duration(doubled.min(self.longest.0))
    }
}

/// A pause of `who`, one of many that failed together: up to a quarter longer, so that they do not come back together.
/// It follows from the name alone.
pub fn spread(pause: Duration, who: &str) -> Duration {
    let part = who.bytes().fold(0_u64, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u64::from(byte)) % PARTS
    });
    Duration(pause.0.saturating_add(pause.0 / (4 * PARTS) * part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_doubles_up_to_the_longest() {
        let backoff = Backoff::new(Duration::seconds(5), Duration::minutes(1));

        let pauses: Vec<_> = (0..7).map(|failures| backoff.after(failures)).collect();

        assert_eq!(
            pauses,
            [5, 5, 10, 20, 40, 60, 60].map(Duration::seconds),
            "in seconds"
        );
        assert_eq!(backoff.after(u32::MAX), Duration::minutes(1));
        let endless = Backoff::new(Duration::minutes(1), Duration(u64::MAX));
        assert!(endless.after(u32::MAX) > Duration::minutes(60 * 24 * 365));
    }

    /// Given a thousand releases, each with a uid as the API server makes them.
    #[test]
    fn a_thousand_that_failed_together_come_back_over_a_quarter_of_the_pause() {
        let uid = |number: u64| {
            // Any well mixed number will do: a uid is random.
            let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let (high, low) = (mixed >> 32, mixed & 0xffff_ffff);
            format!(
                "{high:08x}-{:04x}-4{:03x}-{low:012x}",
                low >> 16,
                low & 0xfff
            )
        };
        let pause = Duration::seconds(40);
        let mut in_each_second = [0_usize; 10];

        for number in 0..1000 {
            let spread = spread(pause, &uid(number));
            assert!(
                spread >= pause && spread < Duration::seconds(50),
                "{spread:?}"
            );
            let second = usize::try_from((spread.0 - pause.0) / 1000).unwrap();
            in_each_second[second] += 1;
        }

        assert!(
            in_each_second.iter().all(|count| (50..200).contains(count)),
            "{in_each_second:?}"
        );
        assert_eq!(spread(pause, "one"), spread(pause, "one"));
        assert_eq!(spread(Duration(u64::MAX), "one"), Duration(u64::MAX));
    }
}
