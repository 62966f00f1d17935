//! Charts in a folder: the one place of this crate that reads the file system.

use std::fs::{self, DirEntry, File as Opened};
use std::io::{ErrorKind, Read};
use std::path::{Component, Path, PathBuf};

use crate::archive::{MAX_CHART_BYTES, MAX_FILE_BYTES};
use crate::clean_path::absolute_path;
use crate::error::ChartError;
use crate::file::File;
use crate::ignore::{FILE_NAME, Rules};
use crate::warning::Warning;

/// Reads all files of a chart's folder that `.helmignore` leaves in, sorted by path, and tells of links in it.
pub(crate) fn read(root: &Path, log: &mut Vec<Warning>) -> Result<Vec<File>, ChartError> {
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
        log,
    };
    walk.folder(root, "", Reached::ByLink)?;
    Ok(walk.files)
}

/// Reads one file.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, ChartError> {
    fs::read(path).map_err(|source| ChartError::Read {
        path: path.to_owned(),
        source,
    })
}

struct Walk<'l> {
    rules: Rules,
    files: Vec<File>,
    left: u64,
    /// Folders that are being walked: links are followed, but not in circles.
    open: Vec<PathBuf>,
    log: &'l mut Vec<Warning>,
}

/// How the walk came to a folder. Only a link leads in a circle.
#[derive(Clone, Copy, PartialEq)]
enum Reached {
    ByName,
    ByLink,
}

impl Walk<'_> {
    fn folder(&mut self, path: &Path, inside: &str, reached: Reached) -> Result<(), ChartError> {
        let failed = |source| ChartError::Read {
            path: path.to_owned(),
            source,
        };
        if reached == Reached::ByLink {
            let resolved = fs::canonicalize(path).map_err(failed)?;
            for open in &self.open {
                if fs::canonicalize(open).map_err(failed)? == resolved {
                    return Err(ChartError::LinkLoop(path.to_owned()));
                }
            }
        }
        self.open.push(path.to_owned());
        let mut entries = fs::read_dir(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(failed)?;
        entries.sort_by_key(DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name();
            let text = name.to_string_lossy();
            let inside = if inside.is_empty() {
                text.into_owned()
            } else {
                format!("{inside}/{text}")
            };
            self.entry(&entry, &inside)?;
        }
        self.open.pop();
        Ok(())
    }

    fn entry(&mut self, entry: &DirEntry, inside: &str) -> Result<(), ChartError> {
        let path = &entry.path();
        let failed = |source| ChartError::Read {
            path: path.to_owned(),
            source,
        };
        let mut kind = entry.file_type().map_err(failed)?;
        let mut reached = Reached::ByName;
        if kind.is_symlink() {
            reached = Reached::ByLink;
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
            kind = about.file_type();
            self.log.push(followed(path));
        }
        if self.rules.ignores(inside, kind.is_dir()) {
            return Ok(());
        }
        if kind.is_dir() {
            return self.folder(path, inside, reached);
        }
        if !kind.is_file() {
            return Err(ChartError::IrregularFile(path.to_owned()));
        }
        let mut file = Opened::open(path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        if size > MAX_FILE_BYTES {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            return Err(ChartError::Package(format!(
                "chart file {name:?} is larger than the maximum file size {MAX_FILE_BYTES}"
            )));
        }
        let mut data = Vec::with_capacity(size as usize + 1);
        file.by_ref()
            .take(MAX_FILE_BYTES)
            .read_to_end(&mut data)
            .map_err(failed)?;
        self.left = self.left.checked_sub(data.len() as u64).ok_or_else(|| {
            ChartError::Package(format!(
                "chart is larger than the maximum size {MAX_CHART_BYTES}"
            ))
        })?;
        self.files.push(File::new(inside, &data));
        Ok(())
    }
}

/// A link may show what is none of the chart's business, so Helm tells that it was followed.
fn followed(path: &Path) -> Warning {
    let shown = |path: &Path| path.display().to_string();
    let resolved = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    Warning::info("found symbolic link in path. Contents of linked file included and used")
        .with("path", shown(&absolute_path(path)))
        .with("resolved", shown(&resolved))
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
