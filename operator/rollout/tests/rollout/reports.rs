//! What people and health checks read.
