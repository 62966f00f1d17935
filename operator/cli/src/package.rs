//! A chart's folder as files and as a package.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use belay_chart::Chart;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::error::Error;

/// What a chart does not list among its files, beside everything below `charts/`.
const OWN: [&str; 6] = [
    "Chart.yaml",
    "Chart.lock",
    "values.yaml",
    "values.schema.json",
    "requirements.yaml",
    "requirements.lock",
];

/// The files of a chart's folder by their path inside; `loaded` knows which of them `.helmignore` leaves in.
pub(crate) fn files(folder: &Path, loaded: &Chart) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let mut files: BTreeMap<String, Vec<u8>> = loaded
        .templates()
        .iter()
        .chain(loaded.files())
        .map(|file| (file.name.to_string(), file.data.to_vec()))
        .collect();
    for name in OWN {
        let path = folder.join(name);
        if path.is_file() {
            files.insert(name.to_owned(), read(&path)?);
        }
    }
    let subcharts = folder.join("charts");
    if subcharts.is_dir() {
        walk(&subcharts, "charts", &mut files)?;
    }
    Ok(files)
}

fn walk(folder: &Path, inside: &str, files: &mut BTreeMap<String, Vec<u8>>) -> Result<(), Error> {
    let failed = |source| Error::Read {
        path: folder.to_owned(),
        source,
    };
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let inside = format!("{inside}/{}", entry.file_name().to_string_lossy());
        let path = entry.path();
        if path.is_dir() {
            walk(&path, &inside, files)?;
        } else {
            files.insert(inside, read(&path)?);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })
}

/// A `.tgz` as `helm package` would write it; the same files give the same bytes.
pub(crate) fn pack(name: &str, files: &BTreeMap<String, Vec<u8>>) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
    for (path, data) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(data.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        archive.append_data(&mut header, format!("{name}/{path}"), data.as_slice())?;
    }
    archive.into_inner()?.finish()
}
