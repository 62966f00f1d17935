//! A folder of packages that survives restarts. Nothing in it is believed before its digest is computed again.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use super::Key;
use crate::digest::{PackageDigest, short_hex};
use crate::recent::Recent;

/// The beginning of the names of files that are still being written.
const UNFINISHED: &str = ".belay-";

#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Names of the files, with their sizes as weights.
    files: Mutex<Recent<String, ()>>,
}

impl Folder {
    /// Takes over what an earlier run left, oldest first, and removes what it left unfinished. `None` when the
    /// folder cannot be used: Belay works without it.
    pub fn open(path: &Path, limit: u64) -> Option<Self> {
        let folder = Self {
            path: path.to_owned(),
            files: Mutex::new(Recent::new(limit)),
        };
        match folder.take_over() {
            Ok(()) => Some(folder),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "chart cache folder cannot be used, going on without");
                None
            }
        }
    }

    fn take_over(&self) -> io::Result<()> {
        fs::create_dir_all(&self.path)?;
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if name.starts_with(UNFINISHED) {
                let _ = fs::remove_file(entry.path());
            } else if is_ours(&name) {
                let meta = entry.metadata()?;
                found.push((meta.modified()?, name, meta.len()));
            }
        }
        found.sort();
        for (_, name, size) in found {
            self.account(name, size);
        }
        Ok(())
    }

    pub fn get(&self, key: Key) -> Option<Bytes> {
        let name = name(key);
        let path = self.path.join(&name);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "cached chart cannot be read, fetching it again");
                return None;
            }
        };
        if PackageDigest::of(&bytes) != key.digest {
            tracing::warn!(path = %path.display(), "cached chart is damaged, fetching it again");
            self.lock().remove(&name);
            let _ = fs::remove_file(&path);
            return None;
        }
        self.lock().get(&name);
        Some(Bytes::from(bytes))
    }

    pub fn put(&self, key: Key, bytes: &[u8]) {
        let name = name(key);
        match self.write(&name, bytes) {
            Ok(()) => self.account(name, bytes.len() as u64),
            Err(error) => {
                tracing::warn!(path = %self.path.display(), %error, "chart cannot be kept in the cache folder");
            }
        }
    }

    /// Writes beside and renames, so that a reader (or the next run) sees the whole file or none.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempfile_in(&self.path)?;
        file.write_all(bytes)?;
        file.persist(self.path.join(name))?;
        Ok(())
    }

    fn account(&self, name: String, size: u64) {
        let evicted = self.lock().insert(name, (), size);
        for name in evicted {
            let _ = fs::remove_file(self.path.join(name));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Recent<String, ()>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name(key: Key) -> String {
    format!("{}-{}.tgz", short_hex(&key.scope), key.digest)
}

/// Whether a file name is one that [`name`] makes: a folder may hold other things, which are left alone.
fn is_ours(name: &str) -> bool {
    name.strip_suffix(".tgz")
        .and_then(|stem| stem.split_once('-'))
        .is_some_and(|(scope, digest)| scope.len() == 32 && digest.parse::<PackageDigest>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(bytes: &[u8]) -> Key {
        Key {
            scope: [7; 32],
            digest: PackageDigest::of(bytes),
        }
    }

    fn files(path: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_package_survives_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        Folder::open(dir.path(), 100)
            .unwrap()
            .put(key(b"chart"), b"chart");

        let after = Folder::open(dir.path(), 100).unwrap();

        assert_eq!(after.get(key(b"chart")).unwrap(), "chart");
    }

    #[test]
    fn a_damaged_file_is_not_believed_and_goes() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path(), 100).unwrap();
        folder.put(key(b"chart"), b"chart");
        fs::write(dir.path().join(name(key(b"chart"))), "chert").unwrap();

        assert_eq!(folder.get(key(b"chart")), None);
        assert!(files(dir.path()).is_empty());
    }

    #[test]
    fn the_folder_stays_under_its_limit_over_restarts_too() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path(), 10).unwrap();
        folder.put(key(b"11111"), b"11111");
        folder.put(key(b"22222"), b"22222");
        folder.put(key(b"33333"), b"33333");
        assert_eq!(folder.get(key(b"11111")), None);
        assert_eq!(files(dir.path()).len(), 2);

        let after = Folder::open(dir.path(), 5).unwrap();

        assert_eq!(files(dir.path()).len(), 1);
        after.put(key(b"too large"), b"too large");
        assert_eq!(files(dir.path()).len(), 1);
    }

    #[test]
    fn leftovers_of_a_killed_run_go_and_strangers_stay() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(".belay-x1"), "half").unwrap();
        fs::write(dir.path().join("notes.txt"), "mine").unwrap();

        let folder = Folder::open(dir.path(), 1).unwrap();

        folder.put(key(b"22"), b"22");
        assert_eq!(files(dir.path()), ["notes.txt"]);
    }

    #[test]
    fn without_a_usable_folder_there_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();

        assert!(Folder::open(&file, 1).is_none());
    }
}
