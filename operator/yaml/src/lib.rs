//! Go's YAML and JSON, read and printed as Helm does.
