//! Real packages and the index over them.

use std::io::Write as _;

use sha2::{Digest as _, Sha256};

use super::server::{Page, Server};

/// The chart `web` in this version, packaged.
pub fn package(version: &str) -> Vec<u8> {
    packaged(version, "kind: ConfigMap\n")
}

/// The same, its package at least this large.
pub fn large(version: &str, bytes: usize) -> Vec<u8> {
    // Digits that compression does not make shorter than half.
    let digits = (0_u64..).map(|number| format!("{:x}", Sha256::digest(number.to_be_bytes())));
    let text: String = digits.take(2 * bytes / 64 + 1).collect();
    packaged(version, &format!("# {text}\nkind: ConfigMap\n"))
}

fn packaged(version: &str, template: &str) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let chart = format!("apiVersion: v2\nname: web\nversion: {version}\n");
    let files = [
        ("web/Chart.yaml", chart.as_str()),
        ("web/templates/web.yaml", template),
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
    format!("{:x}", Sha256::digest(bytes))
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
    let mut lines = vec![
        "apiVersion: v1".to_owned(),
        "entries:".to_owned(),
        "  web:".to_owned(),
    ];
    for entry in entries {
        lines.push("  - name: web".to_owned());
        lines.push(format!("    version: {}", entry.version));
        lines.push("    urls:".to_owned());
        lines.push(format!("    - {}", entry.url));
        lines.extend(
            entry
                .digest
                .iter()
                .map(|digest| format!("    digest: {digest}")),
        );
    }
    lines.join("\n") + "\n"
}
