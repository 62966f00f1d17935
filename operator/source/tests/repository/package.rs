//! Real packages and the index over them.

use std::io::Write as _;

use sha2::{Digest as _, Sha256};

use super::server::{Page, Server};

/// The chart `web` in this version, packaged.
pub fn package(version: &str) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let chart = format!("apiVersion: v2\nname: web\nversion: {version}\n");
    let files = [
        ("web/Chart.yaml", chart.as_str()),
        ("web/templates/web.yaml", "kind: ConfigMap\n"),
    ];
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, path, content.as_bytes())
            .unwrap();
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&tar.into_inner().unwrap()).unwrap();
    gzip.finish().unwrap()
}

/// The digest as an index writes it.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// An entry of the index.
pub struct Listed {
    pub version: String,
    pub url: String,
    pub digest: Option<String>,
}

impl Listed {
    pub fn at(self, url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            ..self
        }
    }

    pub fn unproven(self) -> Self {
        Self {
            digest: None,
            ..self
        }
    }
}

/// Serves a package and gives its entry, with a relative URL.
pub fn publish(server: &Server, version: &str) -> Listed {
    let bytes = package(version);
    let digest = Some(digest(&bytes));
    let file = format!("web-{version}.tgz");
    server.serve(&format!("/{file}"), Page::ok(bytes));
    Listed {
        version: version.into(),
        url: file,
        digest,
    }
}

pub fn index(entries: &[Listed]) -> String {
    let mut text = "apiVersion: v1\nentries:\n  web:\n".to_owned();
    for entry in entries {
        text += &format!(
            "  - name: web\n    version: {}\n    urls:\n    - {}\n",
            entry.version, entry.url
        );
        if let Some(digest) = &entry.digest {
            text += &format!("    digest: {digest}\n");
        }
    }
    text
}
