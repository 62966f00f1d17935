//! The API server: identity, apply, prune, ledger, storage, watches, pods, claims.
