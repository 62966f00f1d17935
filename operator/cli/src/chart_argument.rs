//! The CHART of a command line, and how it gets into a HelmRelease.

use std::collections::BTreeMap;
use std::path::Path;

use belay_api::helm_release::{ChartSource, InlineChart, OciChart, RepositoryChart};
use belay_chart::Chart;
use belay_source::split_reference;

use crate::error::Error;
use crate::package;
use crate::proof::Proof;

/// The most that is written into the HelmRelease itself, in bytes of all files. A HelmRelease is read and sent
/// whole with each change of its status, so it should stay small.
const INLINE_LIMIT: usize = 128 * 1024;
/// The most files of an inline chart, by the definition of the kind.
const INLINE_FILES: usize = 512;
/// What fits into a ConfigMap, in bytes of a package.
const CONFIG_MAP_LIMIT: usize = 1_000_000;

/// A chart as it travels to the operator.
#[derive(Debug)]
pub(crate) enum Travelling {
    /// The HelmRelease says all: where the repository is, or the files themselves.
    InRelease(Box<ChartSource>),
    /// A package that needs a ConfigMap of its own.
    Packaged {
        /// The `.tgz`.
        package: Vec<u8>,
        /// Tells packages apart; hexadecimal.
        digest: String,
    },
}

/// Where a command line says that its chart is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted<'a> {
    /// A folder, a package, an `oci://` address, or with a repository the name there.
    pub(crate) chart: &'a str,
    pub(crate) repository: Option<&'a str>,
    pub(crate) version: Option<&'a str>,
    /// Speak to a registry without TLS.
    pub(crate) plain_http: bool,
    /// What a chart on this machine has to be proven by. One from elsewhere is proven where it is fetched.
    pub(crate) proof: Option<&'a Proof>,
}

/// Reads what a command line names: a chart of a repository or registry, or a local folder or package.
pub(crate) fn read(wanted: Wanted<'_>) -> Result<Travelling, Error> {
    let Wanted {
        chart,
        repository,
        version,
        plain_http,
        proof,
    } = wanted;
    if let Some(url) = repository {
        return Ok(Travelling::InRelease(Box::new(ChartSource {
            repository: Some(RepositoryChart {
                url: url.to_owned(),
                name: chart.to_owned(),
                version: version.map(str::to_owned),
                ..RepositoryChart::default()
            }),
            ..ChartSource::default()
        })));
    }
    if let Some(reference) = split_reference(chart) {
        let version = oci_version(chart, version, &reference)?;
        return Ok(Travelling::InRelease(Box::new(ChartSource {
            oci: Some(OciChart {
                url: reference.url,
                version,
                digest: reference.digest,
                plain_http,
                ..OciChart::default()
            }),
            ..ChartSource::default()
        })));
    }
    if version.is_some() {
        return Err(Error::VersionOfLocalChart {
            chart: chart.to_owned(),
        });
    }
    let path = Path::new(chart);
    if !path.exists() {
        return Err(Error::NoSuchChart {
            chart: chart.to_owned(),
        });
    }
    if let Some(proof) = proof {
        proof.check(path)?;
    }
    // Loaded here too, so that a broken chart is told at once and never sent.
    let loaded = Chart::from_path(path).map_err(|source| Error::Chart {
        chart: chart.to_owned(),
        source,
    })?;
    if path.is_dir() {
        let files = package::files(path, &loaded)?;
        if let Some(files) = inline(&files) {
            return Ok(Travelling::InRelease(Box::new(ChartSource {
                inline: Some(InlineChart { files }),
                ..ChartSource::default()
            })));
        }
        let package = package::pack(loaded.name(), &files).map_err(Error::Pack)?;
        return packaged(chart, package, &loaded);
    }
    let package = std::fs::read(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    packaged(chart, package, &loaded)
}

/// The version that a registry is asked for: the flag's, or the tag's, and none beside a digest.
pub(crate) fn oci_version(
    chart: &str,
    flag: Option<&str>,
    reference: &belay_source::Reference,
) -> Result<Option<String>, Error> {
    match (flag, &reference.version, &reference.digest) {
        (Some(flag), Some(tag), _) if flag != tag => Err(Error::TwoVersions {
            chart: chart.to_owned(),
            version: flag.to_owned(),
        }),
        (Some(flag), None, Some(_)) => Err(Error::TwoVersions {
            chart: chart.to_owned(),
            version: flag.to_owned(),
        }),
        // The digest says more than the tag beside it.
        (_, _, Some(_)) => Ok(None),
        (flag, tag, None) => Ok(flag.map(str::to_owned).or_else(|| tag.clone())),
    }
}

fn packaged(chart: &str, package: Vec<u8>, loaded: &Chart) -> Result<Travelling, Error> {
    if package.len() > CONFIG_MAP_LIMIT {
        return Err(Error::ChartTooLarge {
            chart: chart.to_owned(),
            bytes: package.len(),
            limit: CONFIG_MAP_LIMIT,
        });
    }
    Ok(Travelling::Packaged {
        package,
        digest: loaded.content_digest().to_string(),
    })
}

/// The files as text, when all of them are and they are few and small.
fn inline(files: &BTreeMap<String, Vec<u8>>) -> Option<BTreeMap<String, String>> {
    let bytes: usize = files.values().map(Vec::len).sum();
    if bytes > INLINE_LIMIT || files.len() > INLINE_FILES {
        return None;
    }
    files
        .iter()
        .map(|(name, data)| Some((name.clone(), String::from_utf8(data.clone()).ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(extra: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let basic: &[(&str, &[u8])] = &[
            ("Chart.yaml", b"apiVersion: v2\nname: web\nversion: 1.0.0\n"),
            ("values.yaml", b"replicas: 1\n"),
            ("templates/a.yaml", b"kind: ConfigMap\n"),
            (".helmignore", b"secret.txt\n"),
            ("secret.txt", b"not for the cluster"),
        ];
        for (name, data) in basic.iter().chain(extra) {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, data).unwrap();
        }
        folder
    }

    fn at(chart: &str) -> Wanted<'_> {
        Wanted {
            chart,
            ..Wanted::default()
        }
    }

    fn of(folder: &tempfile::TempDir) -> Travelling {
        read(at(folder.path().to_str().unwrap())).unwrap()
    }

    #[test]
    fn a_small_folder_of_text_is_written_into_the_release_without_what_is_ignored() {
        let Travelling::InRelease(source) = of(&folder(&[])) else {
            panic!("not inline");
        };

        let files = source.inline.unwrap().files;
        assert_eq!(files["templates/a.yaml"], "kind: ConfigMap\n");
        assert!(files.contains_key("Chart.yaml") && files.contains_key("values.yaml"));
        assert!(!files.contains_key("secret.txt"), "{:?}", files.keys());
    }

    #[test]
    fn a_folder_with_a_binary_file_becomes_a_package_that_holds_the_same_chart() {
        let folder = folder(&[("files/logo.png", &[0xff, 0xfe, 0x00])]);

        let Travelling::Packaged { package, digest } = of(&folder) else {
            panic!("not packaged");
        };

        let chart = Chart::from_archive(&package).unwrap();
        assert_eq!(chart.name(), "web");
        assert_eq!(chart.content_digest().to_string(), digest);
    }

    #[test]
    fn a_chart_of_a_repository_is_only_named() {
        let travelling = read(Wanted {
            repository: Some("https://charts.example.org"),
            version: Some("1.x"),
            ..at("web")
        })
        .unwrap();

        let Travelling::InRelease(source) = travelling else {
            panic!("not in the release");
        };
        let repository = source.repository.unwrap();
        assert_eq!(
            (repository.name.as_str(), repository.version.as_deref()),
            ("web", Some("1.x"))
        );
    }

    fn of_registry(chart: &str, version: Option<&str>) -> Result<OciChart, Error> {
        let wanted = Wanted {
            version,
            ..at(chart)
        };
        match read(wanted)? {
            Travelling::InRelease(source) => Ok(source.oci.unwrap()),
            Travelling::Packaged { .. } => panic!("not in the release"),
        }
    }

    #[test]
    fn a_chart_of_a_registry_is_named_by_its_address_and_a_version_or_a_digest() {
        let tagged = of_registry("oci://a.example:5000/web:1.0.0_b", None).unwrap();
        assert_eq!(tagged.url, "oci://a.example:5000/web");
        assert_eq!(tagged.version.as_deref(), Some("1.0.0+b"));

        let ranged = of_registry("oci://a.example/web", Some("1.x")).unwrap();
        assert_eq!(ranged.version.as_deref(), Some("1.x"));

        let pinned = of_registry("oci://a.example/web:1.0.0@sha256:00", None).unwrap();
        assert_eq!(pinned.version, None);
        assert_eq!(pinned.digest.as_deref(), Some("sha256:00"));

        let both = of_registry("oci://a.example/web:1.0.0", Some("2.0.0"));
        assert!(both.unwrap_err().to_string().contains("--version"));
    }

    #[test]
    fn a_version_of_a_local_chart_is_refused() {
        let wanted = Wanted {
            version: Some("1.0.0"),
            ..at(".")
        };

        let error = read(wanted).unwrap_err().to_string();

        assert!(error.contains("--repo"), "{error}");
    }

    #[test]
    fn what_is_nowhere_points_to_repositories() {
        let error = read(at("no/such/chart")).unwrap_err().to_string();

        assert!(error.contains("--repo"), "{error}");
    }
}
