use thiserror::Error as ThisError;

use crate::misfit::Misfit;

/// Why a release record or a manifest cannot be used.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// The stored text is not base64.
    #[error(
        "the stored release is not base64; the Secret was changed by hand, restore or delete it"
    )]
    NotBase64 {
        /// What the decoder says.
        #[source]
        source: base64::DecodeError,
    },
    /// The stored bytes cannot be decompressed.
    #[error(
        "the stored release cannot be decompressed; the Secret was changed by hand, restore or delete it"
    )]
    NotGzip {
        /// What the decoder says.
        #[source]
        source: std::io::Error,
    },
    /// The stored release expands to more than is ever read.
    #[error(
        "the stored release expands to more than {limit} bytes; delete its Secret if Helm did not write it"
    )]
    Bomb {
        /// The most that is read, in bytes.
        limit: usize,
    },
    /// The record is not JSON, or not of a release's shape.
    #[error(
        "the release record cannot be read at `{field}`; the Secret was changed by hand, restore or delete it"
    )]
    NotARecord {
        /// The field that is wrong; `.` for the record as a whole.
        field: &'static str,
        /// What the decoder says.
        #[source]
        source: serde_json::Error,
    },
    /// A record cannot be written as JSON.
    #[error(
        "the release record cannot be written; its chart or values hold something that JSON cannot"
    )]
    Unwritable {
        /// What the encoder says.
        #[source]
        source: serde_json::Error,
    },
    /// The record does not fit into a Secret.
    #[error(
        "the release {name} takes {bytes} bytes in storage and {limit} fit into a Secret; make the chart smaller, for \
         example by moving large files out of it or splitting it"
    )]
    TooLarge {
        /// Name of the release.
        name: String,
        /// What it takes, in bytes.
        bytes: usize,
        /// What fits, in bytes.
        limit: usize,
    },
    /// A rendered document is not YAML. The text begins as Helm's does.
    #[error("YAML parse error on {path}: {source} (line {line} of the rendered file)")]
    Yaml {
        /// The template's path.
        path: String,
        /// The line of the rendered file, counted from 1, where it goes wrong; where that is not known the
        /// document's first line.
        line: usize,
        /// What the parser says.
        #[source]
        source: belay_yaml::Error,
    },
    /// A rendered document is YAML, but no Kubernetes object.
    #[error("YAML parse error on {path}: {misfit} (document at line {line} of the rendered file)")]
    NotAnObject {
        /// The template's path.
        path: String,
        /// The document's first line in the rendered file, counted from 1.
        line: usize,
        /// What is wrong with it.
        misfit: Misfit,
    },
    /// A patch is for no object of the chart.
    #[error(
        "postRender[{index}] is for {target}, and the chart renders to no such object: correct its target, or remove it"
    )]
    PatchUnmatched {
        /// Which patch, counted from 0.
        index: usize,
        /// Its target.
        target: String,
    },
    /// A patch does not apply to an object that it is for.
    #[error("postRender[{index}], for {target}: {object}: {source}")]
    Patch {
        /// Which patch, counted from 0.
        index: usize,
        /// Its target.
        target: String,
        /// The object.
        object: String,
        /// What is wrong.
        #[source]
        source: Box<belay_patch::Error>,
    },
}

impl Error {
    /// The text that Helm has for it where it has one: without the place in the rendered file.
    pub fn helm(&self) -> String {
        match self {
            Self::Yaml { path, source, .. } => format!("YAML parse error on {path}: {source}"),
            Self::NotAnObject { path, misfit, .. } => {
                format!("YAML parse error on {path}: {}", misfit.helm())
            }
            other => other.to_string(),
        }
    }
}
