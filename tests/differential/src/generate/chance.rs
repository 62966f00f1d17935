//! Repeatable chance.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// A source of choices that a seed determines.
#[derive(Debug)]
pub struct Chance(StdRng);

impl Chance {
    /// The source of this seed.
    pub fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// A number below `end`, 0 when that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        if end == 0 {
            0
        } else {
            self.0.random_range(0..end)
        }
    }

    /// True in `percent` of 100 cases.
    pub fn likely(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of them; none of an empty slice.
    pub fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of.get(self.below(of.len())).copied().unwrap_or_default()
    }
}
