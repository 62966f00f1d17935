//! The engine against the real helm.
