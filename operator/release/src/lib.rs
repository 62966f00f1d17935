//! Helm's release record: codec, manifest split and sort, hooks.
