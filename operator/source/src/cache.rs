//! Packages that were fetched before: in memory, and in a folder when there is one.

mod folder;

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use crate::digest::PackageDigest;
use crate::recent::Recent;
use crate::settings::Settings;

use folder::Folder;

/// A package's bytes under their digest, apart for each [scope](crate::location::Access::scope): who knows a
/// private chart's digest does not get it out of the cache without the credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub scope: [u8; 32],
    pub digest: PackageDigest,
}

/// Packages by content. Losing all of it costs transfers and nothing else.
#[derive(Debug)]
pub(crate) struct Cache {
    memory: Mutex<Recent<Key, Bytes>>,
    folder: Option<Arc<Folder>>,
}

impl Cache {
    pub fn new(settings: &Settings) -> Self {
        let folder = settings.cache_dir.as_deref();
        Self {
            memory: Mutex::new(Recent::new(settings.memory_bytes)),
            folder: folder
                .and_then(|path| Folder::open(path, settings.cache_dir_bytes))
                .map(Arc::new),
        }
    }

    pub async fn get(&self, key: Key) -> Option<Bytes> {
        let found = self.lock().get(&key).cloned();
        if found.is_some() {
            return found;
        }
        let folder = self.folder.clone()?;
        let bytes = tokio::task::spawn_blocking(move || folder.get(key))
            .await
            .ok()??;
        self.keep(key, &bytes);
        Some(bytes)
    }

    pub async fn put(&self, key: Key, bytes: &Bytes) {
        self.keep(key, bytes);
        if let Some(folder) = self.folder.clone() {
            let bytes = bytes.clone();
            // A folder that fails is logged by itself; the package is in hand all the same.
            let _ = tokio::task::spawn_blocking(move || folder.put(key, &bytes)).await;
        }
    }

    fn keep(&self, key: Key, bytes: &Bytes) {
        self.lock().insert(key, bytes.clone(), bytes.len() as u64);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Recent<Key, Bytes>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
