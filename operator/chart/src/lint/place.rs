//! Where the linted chart lies.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::archive;
use crate::chart::Chart;
use crate::clean_path::{absolute_path, clean_path};
use crate::error::ChartError;
use crate::file::File;
use crate::file_error::in_gos_words;
use crate::ignore::{FILE_NAME, Rules};
use crate::loader::{self, CHART_YAML, LoadFor, Unloadable};

/// A chart's folder, or the files of a package.
pub(super) enum Place {
    Folder(PathBuf),
    Package { path: PathBuf, files: Vec<File> },
}

/// What is at a path inside the chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    Nothing,
    File,
    Folder,
}

impl Place {
    /// Finds the chart; what ends in `.tgz` or `.tar.gz` is a package.
    pub(super) fn open(path: &Path) -> Result<Self, ChartError> {
        let text = path.to_string_lossy();
        if text.ends_with(".tgz") || text.ends_with(".tar.gz") {
            let package = std::fs::read(path).map_err(|error| {
                ChartError::NotLintable(format!(
                    "unable to open tarball: {}",
                    in_gos_words("open", path, &error)
                ))
            })?;
            let files = archive::unpack(&package)
                .map_err(|error| error.to_string())
                .and_then(extracted)
                .map_err(|text| {
                    ChartError::NotLintable(format!("unable to extract tarball: {text}"))
                })?;
            let path = absolute_path(path);
            return Ok(Self::Package { path, files });
        }
        std::fs::metadata(path.join(CHART_YAML)).map_err(|error| {
            let stat = in_gos_words("stat", &clean_path(&path.join(CHART_YAML)), &error);
            ChartError::NotLintable(format!("unable to check Chart.yaml file in chart: {stat}"))
        })?;
        Ok(Self::Folder(absolute_path(path)))
    }

    /// How findings about the chart as a whole call it.
    pub(super) fn name(&self) -> String {
        let (Self::Folder(path) | Self::Package { path, .. }) = self;
        path.display().to_string()
    }

    pub(super) fn entry(&self, name: &str) -> Entry {
        match self {
            Self::Folder(path) => match std::fs::metadata(path.join(name)) {
                Ok(about) if about.is_dir() => Entry::Folder,
                Ok(_) => Entry::File,
                Err(_) => Entry::Nothing,
            },
            Self::Package { files, .. } => {
                let folder = format!("{name}/");
                if files.iter().any(|file| &*file.name == name) {
                    Entry::File
                } else if files.iter().any(|file| file.name.starts_with(&folder)) {
                    Entry::Folder
                } else {
                    Entry::Nothing
                }
            }
        }
    }

    /// A file's content as it lies there, or why there is none.
    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        match self {
            Self::Folder(path) => {
                let path = path.join(name);
                std::fs::read(&path).map_err(|error| in_gos_words("open", &path, &error))
            }
            Self::Package { files, .. } => files
                .iter()
                .find(|file| &*file.name == name)
                .map(|file| file.data.to_vec())
                .ok_or_else(|| format!("open {name}: no such file or directory")),
        }
    }

    pub(super) fn chart(&self) -> Result<Chart, Unloadable> {
        loader::logged(|log| match self {
            Self::Folder(path) => loader::path(path, LoadFor::Inspection, log),
            Self::Package { files, .. } => {
                loader::files(without_ignored(files)?, LoadFor::Inspection, log)
            }
        })
    }
}

/// The files as they lie in the folder that Helm unpacks a package to: of two with one name there is the later one, and
/// each folder's in the order of their names.
fn extracted(files: Vec<File>) -> Result<Vec<File>, String> {
    let mut name = String::new();
    for file in files.iter().filter(|file| &*file.name == CHART_YAML) {
        name = loader::chart_name(file).map_err(|error| error.to_string())?;
    }
    match name.as_str() {
        "" => return Err("chart name not specified".to_owned()),
        "." | ".." => return Err(format!("chart name {name:?} is not allowed")),
        _ if name.contains('/') => {
            return Err(format!(
                "chart name {name:?} must not contain path separators"
            ));
        }
        _ => {}
    }
    let by_way = |file: File| {
        let way: Vec<String> = file.name.split('/').map(str::to_owned).collect();
        (way, file)
    };
    let sorted: BTreeMap<Vec<String>, File> = files.into_iter().map(by_way).collect();
    Ok(sorted.into_values().collect())
}

/// The files that the package's own `.helmignore` leaves in; only Helm's linter looks into that of a package.
fn without_ignored(files: &[File]) -> Result<Vec<File>, ChartError> {
    let ignore = files.iter().find(|file| &*file.name == FILE_NAME);
    let rules = Rules::parse(&ignore.map_or(String::new(), |file| file.text().into_owned()))?;
    let is_left = |file: &&File| {
        let mut folders = file.name.match_indices('/').map(|(at, _)| &file.name[..at]);
        !folders.any(|folder| rules.ignores(folder, true)) && !rules.ignores(&file.name, false)
    };
    Ok(files.iter().filter(is_left).cloned().collect())
}
