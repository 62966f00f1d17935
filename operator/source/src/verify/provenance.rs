//! Helm's provenance files: a text that names a package's SHA-256, signed in the clear.

use std::time::SystemTime;

use belay_yaml::Value;
use pgp::composed::CleartextSignedMessage;

use super::keyring::{Keyring, Signer};
use crate::digest::PackageDigest;

const BEGIN: &str = "-----BEGIN PGP SIGNED MESSAGE-----";

/// Who signed a package, by its provenance file; what is wrong with the file otherwise.
///
/// The file has to name the package's digest: for `file`, as Helm's `--verify` has it, or for whatever file when the
/// package's name is not known.
pub(crate) fn judge(
    text: &[u8],
    keyring: &Keyring,
    file: Option<&str>,
    package: PackageDigest,
    now: SystemTime,
) -> Result<Signer, String> {
    let text = std::str::from_utf8(text).map_err(|_| "it is no text".to_owned())?;
    let start = text
        .find(BEGIN)
        .ok_or_else(|| "it is no signed text; helm package --sign writes one".to_owned())?;
    let (message, _) = CleartextSignedMessage::from_string(&text[start..])
        .map_err(|error| format!("it cannot be read: {error}"))?;
    let signer = keyring.signer(&message, now)?;
    // What was signed, and nothing that stands around it.
    let content = message.signed_text().replace("\r\n", "\n");
    let sums = content
        .split("\n...\n")
        .nth(1)
        .ok_or_else(|| "it names no files".to_owned())?;
    let sums = belay_yaml::parse_map(sums.as_bytes())
        .map_err(|error| format!("its list of files cannot be read: {error}"))?;
    let Some(Value::Map(files)) = sums.get("files") else {
        return Err("it names no files".to_owned());
    };
    let is_this = |sum: &Value| {
        let sum = sum.as_str().and_then(|sum| sum.strip_prefix("sha256:"));
        sum.and_then(|sum| sum.parse().ok()) == Some(package)
    };
    match file {
        Some(file) => match files.get(file) {
            Some(sum) if is_this(sum) => Ok(signer),
            Some(_) => Err(format!(
                "it is signed for another {file}: the package has SHA-256 {package}"
            )),
            None => Err(format!(
                "it is signed for {}, not for {file}",
                files.keys().cloned().collect::<Vec<_>>().join(", ")
            )),
        },
        None if files.iter().any(|(_, sum)| is_this(sum)) => Ok(signer),
        None => Err(format!(
            "it is signed for another package: this one has SHA-256 {package}"
        )),
    }
}

#[cfg(test)]
mod tests;
