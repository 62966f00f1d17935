//! Chart packages: gzipped tar archives, unpacked in memory with Helm's limits.

use std::io::Read;

use flate2::read::MultiGzDecoder;

use crate::error::ChartError;
use crate::file::File;

/// Largest size of all files of a package together, in bytes: 100 MiB, as in Helm.
pub const MAX_CHART_BYTES: u64 = 100 * 1024 * 1024;
/// Largest size of one file of a chart, in bytes: 5 MiB, as in Helm.
pub const MAX_FILE_BYTES: u64 = 5 * 1024 * 1024;
/// Most entries in one package; Helm has no such limit, but an empty file costs memory as well.
const MAX_ENTRIES: usize = 50_000;

/// What Go says of bytes that are not compressed.
pub(crate) const NO_GZIP: &str = "gzip: invalid header";

/// Unpacks a package: the first path element is stripped, folders are skipped.
///
/// # Errors
/// When it is no gzipped tar archive, too large, or names a path outside the chart.
pub(crate) fn unpack(package: &[u8]) -> Result<Vec<File>, ChartError> {
    if !package.starts_with(&[0x1f, 0x8b]) {
        return Err(ChartError::Package(NO_GZIP.to_owned()));
    }
    let mut archive = tar::Archive::new(MultiGzDecoder::new(package));
    let entries = archive
        .entries()
        .map_err(|e| ChartError::Package(e.to_string()))?;
    let mut files = Vec::new();
    let mut left = MAX_CHART_BYTES;
    for (count, entry) in entries.enumerate() {
        let mut entry = entry.map_err(|e| ChartError::Package(e.to_string()))?;
        if count >= MAX_ENTRIES {
            return Err(ChartError::Package(format!(
                "chart archive holds more than {MAX_ENTRIES} entries"
            )));
        }
        let kind = entry.header().entry_type();
        if kind.is_dir() || kind.is_pax_global_extensions() || kind.is_pax_local_extensions() {
            continue;
        }
        let full = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if full.ends_with('/') {
            continue;
        }
        // Helm takes the empty body of a link for a file; a chart has no use for one.
        if kind.is_symlink() || kind.is_hard_link() {
            return Err(ChartError::Package(format!(
                "chart archive contains a link: {full:?}"
            )));
        }
        let name = inner_name(&full)?;
        let size = entry.size();
        if size > left {
            return Err(too_large());
        }
        if size > MAX_FILE_BYTES {
            return Err(ChartError::Package(format!(
                "decompressed chart file {full:?} is larger than the maximum file size {MAX_FILE_BYTES}"
            )));
        }
        let mut data = Vec::new();
        let read = entry.by_ref().take(left).read_to_end(&mut data);
        let read = read.map_err(|e| ChartError::Package(e.to_string()))? as u64;
        left -= read;
        if read < size || left == 0 {
            return Err(too_large());
        }
        files.push(File::new(&name, &data));
    }
    if files.is_empty() {
        return Err(ChartError::Package("no files in chart archive".to_owned()));
    }
    Ok(files)
}

fn too_large() -> ChartError {
    ChartError::Package(format!(
        "decompressed chart is larger than the maximum size {MAX_CHART_BYTES}"
    ))
}

/// The name inside the chart, or why it must not be unpacked.
fn inner_name(full: &str) -> Result<String, ChartError> {
    // Packages made on Windows may use backslashes throughout.
    let delimiter = if full.contains('\\') { '\\' } else { '/' };
    let (first, rest) = full.split_once(delimiter).unwrap_or((full, ""));
    let rest = rest.replace(delimiter, "/");
    if rest.starts_with('/') {
        return Err(ChartError::Package(
            "chart illegally contains absolute paths".to_owned(),
        ));
    }
    let name = clean(&rest);
    if name.is_empty() {
        return Err(ChartError::Package(format!(
            "chart illegally contains content outside the base directory: {full:?}"
        )));
    }
    if name.starts_with("..") {
        return Err(ChartError::Package(
            "chart illegally references parent directory".to_owned(),
        ));
    }
    let mut letters = name.chars();
    if letters.next().is_some_and(|c| c.is_ascii_alphabetic()) && letters.as_str().starts_with(":/")
    {
        return Err(ChartError::Package(
            "chart contains illegally named files".to_owned(),
        ));
    }
    if first == "Chart.yaml" {
        return Err(ChartError::Package(
            "chart yaml not in base directory".to_owned(),
        ));
    }
    Ok(name)
}

/// A relative path without `.`, `..` and doubled slashes where they can be resolved.
fn clean(path: &str) -> String {
    let mut elements: Vec<&str> = Vec::new();
    for element in path.split('/') {
        match element {
            "" | "." => {}
            ".." if elements.last().is_some_and(|last| *last != "..") => {
                elements.pop();
            }
            _ => elements.push(element),
        }
    }
    elements.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn package(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        for (name, data) in entries {
            let mut header = tar::Header::new_gnu();
            // Written raw, since the builder refuses the paths that are to be tried.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(data.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            tar.append(&header, *data).unwrap();
        }
        let mut gz = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&tar.into_inner().unwrap()).unwrap();
        gz.finish().unwrap()
    }

    fn refusal(name: &str) -> String {
        unpack(&package(&[(name, b"x")])).unwrap_err().to_string()
    }

    #[test]
    fn the_first_path_element_is_stripped_and_a_byte_order_mark_dropped() {
        let files = unpack(&package(&[("web/./a//b.yaml", b"\xef\xbb\xbfx: 1")])).unwrap();
        assert_eq!(files, [File::new("a/b.yaml", b"x: 1")]);
    }

    #[test]
    fn paths_that_leave_the_chart_are_refused() {
        assert_eq!(
            refusal("web/../../etc/passwd"),
            "chart illegally references parent directory"
        );
        assert_eq!(
            refusal("web//etc/passwd"),
            "chart illegally contains absolute paths"
        );
        assert_eq!(refusal("web/c:/x"), "chart contains illegally named files");
        assert_eq!(refusal("Chart.yaml/x"), "chart yaml not in base directory");
        assert!(refusal("loose").contains("outside the base directory: \"loose\""));
    }

    #[test]
    fn what_is_too_large_is_refused_before_it_is_unpacked() {
        let large = vec![0; MAX_FILE_BYTES as usize + 1];
        let refusal = unpack(&package(&[("web/big", &large)]))
            .unwrap_err()
            .to_string();
        assert_eq!(
            refusal,
            "decompressed chart file \"web/big\" is larger than the maximum file size 5242880"
        );
        let most = vec![0; MAX_FILE_BYTES as usize];
        let names: Vec<String> = (0..21).map(|n| format!("web/{n}")).collect();
        let entries: Vec<(&str, &[u8])> = names
            .iter()
            .map(|n| (n.as_str(), most.as_slice()))
            .collect();
        let refusal = unpack(&package(&entries)).unwrap_err().to_string();
        assert_eq!(
            refusal,
            "decompressed chart is larger than the maximum size 104857600"
        );
    }

    #[test]
    fn links_and_what_is_no_archive_are_refused() {
        let mut tar = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        tar.append_link(&mut header, "web/link", "/etc/passwd")
            .unwrap();
        let mut gz = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&tar.into_inner().unwrap()).unwrap();
        let refusal = unpack(&gz.finish().unwrap()).unwrap_err().to_string();
        assert!(refusal.contains("contains a link"), "{refusal}");
        assert!(
            unpack(b"apiVersion: v2")
                .unwrap_err()
                .to_string()
                .contains("gzip: invalid header")
        );
        assert!(unpack(&[0x1f, 0x8b, 8, 0]).is_err());
    }
}
