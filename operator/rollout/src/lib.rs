//! Pure decisions: digests, situations, steps, requests, report.
