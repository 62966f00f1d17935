//! Helm charts: load, values, schema, dependencies, render.
