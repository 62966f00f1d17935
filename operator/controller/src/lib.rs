//! Gather, decide, act, report; wake-ups and metrics.
