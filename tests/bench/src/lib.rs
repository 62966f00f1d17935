//! Ratios from interleaved runs.
