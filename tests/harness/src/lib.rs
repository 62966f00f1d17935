//! A real control plane for tests: starts it, hands out identities, stops it.
