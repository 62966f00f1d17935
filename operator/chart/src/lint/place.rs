//! Where the linted chart lies.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::archive;
use crate::chart::Chart;
use crate::clean_path::clean_path;
use crate::directory;
use crate::error::ChartError;
use crate::file::File;

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
                    go("open", path, &error)
                ))
            })?;
            let files = archive::unpack(&package).map_err(|error| {
                ChartError::NotLintable(format!("unable to extract tarball: {error}"))
            })?;
            let path = absolute(path);
            return Ok(Self::Package { path, files });
        }
        std::fs::metadata(path.join("Chart.yaml")).map_err(|error| {
            let stat = go("stat", &clean_path(&path.join("Chart.yaml")), &error);
            ChartError::NotLintable(format!("unable to check Chart.yaml file in chart: {stat}"))
        })?;
        Ok(Self::Folder(absolute(path)))
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
                std::fs::read(&path).map_err(|error| match error.kind() {
                    ErrorKind::IsADirectory => format!("read {}: is a directory", path.display()),
                    _ => go("open", &path, &error),
                })
            }
            Self::Package { files, .. } => files
                .iter()
                .find(|file| &*file.name == name)
                .map(|file| file.data.to_vec())
                .ok_or_else(|| format!("open {name}: no such file or directory")),
        }
    }

    pub(super) fn chart(&self) -> Result<Chart, ChartError> {
        match self {
            Self::Folder(path) => Chart::of_any_version(directory::read(path)?),
            Self::Package { files, .. } => Chart::of_any_version(files.clone()),
        }
    }
}

/// What Go says about a failed operation on a file.
fn go(operation: &str, path: &Path, error: &std::io::Error) -> String {
    let path = path.display();
    match error.kind() {
        ErrorKind::NotFound => format!("{operation} {path}: no such file or directory"),
        ErrorKind::PermissionDenied => format!("{operation} {path}: permission denied"),
        ErrorKind::NotADirectory => format!("{operation} {path}: not a directory"),
        _ => format!("{operation} {path}: {error}"),
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).map_or_else(|_| path.to_owned(), |path| clean_path(&path))
}
