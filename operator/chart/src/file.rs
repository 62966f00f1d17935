//! One file of a chart.

use std::sync::Arc;

/// A name relative to the chart with `/` between its elements, and the bytes under it. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// For example `templates/service.yaml`.
    pub name: Arc<str>,
    /// The content, without a leading byte order mark.
    pub data: Arc<[u8]>,
}

impl File {
    /// A file; a leading UTF-8 byte order mark is dropped, as Helm's loaders do.
    pub fn new(name: &str, data: &[u8]) -> Self {
        Self {
            name: Arc::from(name),
            data: Arc::from(data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data)),
        }
    }

    /// The content as text; what is no UTF-8 becomes U+FFFD.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.data)
    }

    /// The last element of the name.
    pub fn base_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }
}
