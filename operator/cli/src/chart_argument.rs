//! The CHART of a command line, and how it gets into a HelmRelease.

use std::collections::BTreeMap;
use std::path::Path;

use belay_api::helm_release::{ChartSource, InlineChart, RepositoryChart};
use belay_chart::Chart;

use crate::error::Error;
use crate::package;

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
    InRelease(ChartSource),
    /// A package that needs a ConfigMap of its own.
    Packaged {
        /// The `.tgz`.
        package: Vec<u8>,
        /// Tells packages apart; hexadecimal.
        digest: String,
    },
}

/// Reads what `chart` names: a chart of the repository, or a local folder or package.
pub(crate) fn read(
    chart: &str,
    repository: Option<&str>,
    version: Option<&str>,
) -> Result<Travelling, Error> {
    if let Some(url) = repository {
        return Ok(Travelling::InRelease(ChartSource {
            repository: Some(RepositoryChart {
                url: url.to_owned(),
                name: chart.to_owned(),
                version: version.map(str::to_owned),
                secret_ref: None,
                ca_secret_ref: None,
            }),
            ..ChartSource::default()
        }));
    }
    let path = Path::new(chart);
    if !path.exists() {
        return Err(Error::NoSuchChart {
            chart: chart.to_owned(),
        });
    }
    // Loaded here too, so that a broken chart is told at once and never sent.
    let loaded = Chart::from_path(path).map_err(|source| Error::Chart {
        chart: chart.to_owned(),
        source,
    })?;
    if path.is_dir() {
        let files = package::files(path, &loaded)?;
        if let Some(files) = inline(&files) {
            return Ok(Travelling::InRelease(ChartSource {
                inline: Some(InlineChart { files }),
                ..ChartSource::default()
            }));
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

    fn of(folder: &tempfile::TempDir) -> Travelling {
        read(folder.path().to_str().unwrap(), None, None).unwrap()
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
        let travelling = read("web", Some("https://charts.example.org"), Some("1.x")).unwrap();

        let Travelling::InRelease(source) = travelling else {
            panic!("not in the release");
        };
        let repository = source.repository.unwrap();
        assert_eq!(
            (repository.name.as_str(), repository.version.as_deref()),
            ("web", Some("1.x"))
        );
    }

    #[test]
    fn what_is_nowhere_points_to_repositories() {
        let error = read("no/such/chart", None, None).unwrap_err().to_string();

        assert!(error.contains("--repo"), "{error}");
    }
}
