//! What templates learn of the world when there is no cluster: the clock and chance.

use belay_template::Host;
use rand::RngCore;

/// The machine that the command runs on.
pub(crate) struct LocalHost;

impl Host for LocalHost {
    fn now(&mut self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }

    fn zone(&mut self) -> jiff::tz::TimeZone {
        jiff::tz::TimeZone::system()
    }

    fn random(&mut self, buffer: &mut [u8]) {
        rand::rng().fill_bytes(buffer);
    }
}
