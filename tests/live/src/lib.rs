//! Belay against a real control plane.
