//! Who signs charts with PGP: a key, and the keyrings that helm and gpg make of it.

use std::path::{Path, PathBuf};

use pgp::composed::{
    ArmorOptions, KeyType, SecretKeyParamsBuilder, SignedPublicKey, SignedSecretKey,
};
use pgp::ser::Serialize as _;
use pgp::types::KeyDetails as _;
use tempfile::TempDir;

use crate::{Error, Result, Tools};

/// A publisher of charts with a PGP key of its own.
pub struct Publisher {
    name: String,
    secret: SignedSecretKey,
    folder: TempDir,
}

/// The least that is still taken for secure; a larger one costs each test seconds.
const RSA_BITS: u32 = 2048;

impl Publisher {
    /// A publisher of this name, `Jane <jane@example.org>`.
    ///
    /// # Errors
    /// If the key cannot be made or written.
    pub fn new(name: &str) -> Result<Self> {
        let wrong =
            |error: &dyn std::fmt::Display| Error::Tools(format!("making a PGP key: {error}"));
        let mut parameters = SecretKeyParamsBuilder::default();
        parameters
            .key_type(KeyType::Rsa(RSA_BITS))
            .can_certify(true)
            .can_sign(true)
            .primary_user_id(name.to_owned());
        let parameters = parameters.build().map_err(|error| wrong(&error))?;
        let secret = parameters
            .generate(rsa::rand_core::OsRng)
            .map_err(|error| wrong(&error))?;
        let publisher = Self {
            name: name.to_owned(),
            folder: tempfile::tempdir().map_err(Error::io("making a folder for a PGP key"))?,
            secret,
        };
        let content = |bytes: pgp::errors::Result<Vec<u8>>| bytes.map_err(|error| wrong(&error));
        publisher.write("secret.gpg", &content(publisher.secret.to_bytes())?)?;
        publisher.write("public.gpg", &content(publisher.public().to_bytes())?)?;
        Ok(publisher)
    }

    /// The key's fingerprint, as gpg shows it.
    pub fn fingerprint(&self) -> String {
        self.secret.fingerprint().to_string().to_uppercase()
    }

    /// A file with the public key, as `gpg --export` writes it.
    pub fn keyring(&self) -> PathBuf {
        self.folder.path().join("public.gpg")
    }

    /// The public key as text, as `gpg --export --armor` writes it.
    ///
    /// # Errors
    /// If it cannot be written so.
    pub fn armored(&self) -> Result<String> {
        self.public()
            .to_armored_string(ArmorOptions::default())
            .map_err(|error| Error::Tools(format!("writing a PGP key: {error}")))
    }

    /// The private key, which no cluster should have.
    ///
    /// # Errors
    /// If it cannot be written so.
    pub fn secret(&self) -> Result<Vec<u8>> {
        self.secret
            .to_bytes()
            .map_err(|error| Error::Tools(format!("writing a PGP key: {error}")))
    }

    /// Packages the chart in `folder` as `version` into `into` and signs it, both with the real helm.
    ///
    /// # Errors
    /// What helm complains about.
    pub async fn package(
        &self,
        tools: &Tools,
        folder: &Path,
        version: &str,
        into: &Path,
    ) -> Result<()> {
        let shown = |path: &Path| path.display().to_string();
        let (chart, into) = (shown(folder), shown(into));
        let keyring = shown(&self.folder.path().join("secret.gpg"));
        let package = [
            "package",
            &chart,
            "--version",
            version,
            "--destination",
            &into,
            "--sign",
            "--key",
            &self.name,
            "--keyring",
            &keyring,
        ];
        tools.helm(&package).await?.ok()?;
        Ok(())
    }

    fn public(&self) -> SignedPublicKey {
        self.secret.to_public_key()
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<()> {
        std::fs::write(self.folder.path().join(name), content)
            .map_err(Error::io("writing a PGP key"))
    }
}
