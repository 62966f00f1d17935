//! A manifest: which blob is the chart.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::digest::PackageDigest;
use crate::error::Error;

/// What a Helm chart's configuration is called, by Helm's registry format.
const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
/// What the package is called: since Helm 3.7, and before.
const CONTENT: [&str; 2] = [
    "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
    "application/tar+gzip",
];

/// What Helm calls a provenance file.
const PROVENANCE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";

/// Where a chart is within its repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Manifest {
    /// The package.
    pub chart: PackageDigest,
    /// Its bytes.
    pub size: u64,
    /// The provenance file, if there is one.
    pub provenance: Option<PackageDigest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    media_type: Option<String>,
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
}

/// What a manifest says of a blob, by the OCI image specification.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub media_type: String,
    digest: String,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    pub artifact_type: String,
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// The digest; what is wrong with it otherwise.
    pub fn sha256(&self) -> Result<PackageDigest, String> {
        let digest = &self.digest;
        let digits = digest
            .strip_prefix("sha256:")
            .ok_or_else(|| format!("{digest:?} is no SHA-256 digest"))?;
        digits
            .parse()
            .map_err(|error| format!("the digest {digest:?}: {error}"))
    }
}

impl Manifest {
    pub fn read(origin: &str, bytes: &[u8]) -> Result<Self, Error> {
        let bad = |detail: String| Error::BadAnswer {
            url: origin.to_owned(),
            detail,
        };
        let not_a_chart = |found: String| Error::NotAChart {
            url: origin.to_owned(),
            found,
        };
        let document: Document = serde_json::from_slice(bytes)
            .map_err(|error| bad(format!("it is no manifest: {error}")))?;
        let config = document.config.ok_or_else(|| {
            let kind = document.media_type.as_deref();
            not_a_chart(
                kind.unwrap_or("something without a configuration")
                    .to_owned(),
            )
        })?;
        if config.media_type != CONFIG {
            return Err(not_a_chart(config.media_type));
        }
        let layers = &document.layers;
        let layer = layers
            .iter()
            .find(|layer| CONTENT.contains(&layer.media_type.as_str()))
            .ok_or_else(|| not_a_chart("a manifest without a package".to_owned()))?;
        let provenance = layers.iter().find(|layer| layer.media_type == PROVENANCE);
        Ok(Self {
            chart: layer.sha256().map_err(bad)?,
            size: layer.size,
            provenance: provenance
                .map(Descriptor::sha256)
                .transpose()
                .map_err(bad)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn manifest(config: &str, layer: &str, digest: &str) -> String {
        format!(
            r#"{{"schemaVersion": 2, "config": {{"mediaType": "{config}", "digest": "sha256:00", "size": 3}},
               "layers": [{{"mediaType": "application/vnd.cncf.helm.chart.provenance.v1.prov", "digest": "sha256:{DIGEST}", "size": 1}},
                          {{"mediaType": "{layer}", "digest": "{digest}", "size": 7}}]}}"#
        )
    }

    #[rstest]
    #[case("application/vnd.cncf.helm.chart.content.v1.tar+gzip")]
    #[case("application/tar+gzip")]
    fn the_package_is_found_under_helms_names_for_it(#[case] layer: &str) {
        let text = manifest(CONFIG, layer, &format!("sha256:{DIGEST}"));

        let manifest = Manifest::read("oci://a.example/web:1", text.as_bytes()).unwrap();

        assert_eq!(manifest.chart.to_string(), DIGEST);
        assert_eq!(manifest.size, 7);
        assert_eq!(
            manifest
                .provenance
                .map(|digest| digest.to_string())
                .as_deref(),
            Some(DIGEST)
        );
    }

    #[rstest]
    #[case(manifest("application/vnd.oci.image.config.v1+json", CONTENT[0], DIGEST), "image.config")]
    #[case(manifest(CONFIG, "text/plain", DIGEST), "without a package")]
    #[case(manifest(CONFIG, CONTENT[0], "md5:00"), "no SHA-256")]
    #[case(r#"{"mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}"#.to_owned(), "image.index")]
    #[case("<html>".to_owned(), "no manifest")]
    fn what_is_no_chart_is_called_by_its_name(#[case] text: String, #[case] said: &str) {
        let error = Manifest::read("oci://a.example/web:1", text.as_bytes()).unwrap_err();

        assert!(error.to_string().contains(said), "{error}");
        assert!(
            error.to_string().contains("oci://a.example/web:1"),
            "{error}"
        );
    }
}
