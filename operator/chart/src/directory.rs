//! Charts in a folder: the one place of this crate that reads the file system.

use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use crate::archive::{MAX_CHART_BYTES, MAX_FILE_BYTES};
use crate::error::ChartError;
use crate::file::File;
use crate::ignore::{FILE_NAME, Rules};

/// Reads all files of a chart's folder that `.helmignore` leaves in, sorted by path.
pub(crate) fn read(root: &Path) -> Result<Vec<File>, ChartError> {
    let ignore = root.join(FILE_NAME);
    let rules = if ignore.exists() {
        Rules::parse(&String::from_utf8_lossy(&read_file(&ignore)?))?
    } else {
        Rules::parse("")?
    };
    let mut walk = Walk {
        rules,
        files: Vec::new(),
        left: MAX_CHART_BYTES,
        open: Vec::new(),
    };
    walk.folder(root, "")?;
    Ok(walk.files)
}

/// Reads one file.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, ChartError> {
    fs::read(path).map_err(|source| ChartError::Read {
        path: path.to_owned(),
        source,
    })
}

struct Walk {
    rules: Rules,
    files: Vec<File>,
    left: u64,
    /// Folders that are being walked, resolved: links are followed, but not in circles.
    open: Vec<PathBuf>,
}

impl Walk {
    fn folder(&mut self, path: &Path, inside: &str) -> Result<(), ChartError> {
        let failed = |source| ChartError::Read {
            path: path.to_owned(),
            source,
        };
        let resolved = fs::canonicalize(path).map_err(failed)?;
        if self.open.contains(&resolved) {
            return Err(ChartError::LinkLoop(path.to_owned()));
        }
        self.open.push(resolved);
        let mut names = Vec::new();
        for entry in fs::read_dir(path).map_err(failed)? {
            names.push(entry.map_err(failed)?.file_name());
        }
        names.sort();
        for name in names {
            let text = name.to_string_lossy();
            let inside = if inside.is_empty() {
                text.into_owned()
            } else {
                format!("{inside}/{text}")
            };
            self.entry(&path.join(&name), &inside)?;
        }
        self.open.pop();
        Ok(())
    }

    fn entry(&mut self, path: &Path, inside: &str) -> Result<(), ChartError> {
        let failed = |source| ChartError::Read {
            path: path.to_owned(),
            source,
        };
        let about = fs::metadata(path).map_err(|source| {
            let missing = (source.kind() == ErrorKind::NotFound).then(|| dangling(path));
            match missing.flatten() {
                Some(missing) => ChartError::DanglingLink {
                    path: path.to_owned(),
                    missing,
                },
                None => failed(source),
            }
        })?;
        if self.rules.ignores(inside, about.is_dir()) {
            return Ok(());
        }
        if about.is_dir() {
            return self.folder(path, inside);
        }
        if !about.is_file() {
            return Err(ChartError::IrregularFile(path.to_owned()));
        }
        if about.len() > MAX_FILE_BYTES {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            return Err(ChartError::Package(format!(
                "chart file {name:?} is larger than the maximum file size {MAX_FILE_BYTES}"
            )));
        }
        let data = read_file(path)?;
        self.left = self.left.checked_sub(data.len() as u64).ok_or_else(|| {
            ChartError::Package(format!(
                "chart is larger than the maximum size {MAX_CHART_BYTES}"
            ))
        })?;
        self.files.push(File::new(inside, &data));
        Ok(())
    }
}

/// Where a link leads that leads nowhere: the first part of the way that is not there.
fn dangling(path: &Path) -> Option<PathBuf> {
    let target = path.parent()?.join(fs::read_link(path).ok()?);
    let mut way = PathBuf::new();
    for part in target.components() {
        match part {
            Component::ParentDir => {
                way.pop();
            }
            Component::CurDir => {}
            part => way.push(part),
        }
        if fs::symlink_metadata(&way).is_err() {
            break;
        }
    }
    Some(way)
}
