//! Chart packages: gzipped tar archives, unpacked in memory with Helm's limits.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

use crate::error::ChartError;
use crate::file::File;

/// Largest size of all files of a package together, in bytes: 100 MiB, as in Helm.
pub const MAX_CHART_BYTES: u64 = 100 * 1024 * 1024;
/// Largest size of one file of a chart, in bytes: 5 MiB, as in Helm.
pub const MAX_FILE_BYTES: u64 = 5 * 1024 * 1024;
/// Most entries in one package; Helm has no such limit, but an empty file costs memory as well.
const MAX_ENTRIES: usize = 50_000;

/// Most bytes of the archive as a whole: headers and padding beside the files. Names that are too long for a header
/// and folders may have a content of their own, which counts here.
const MAX_ARCHIVE_BYTES: u64 = MAX_CHART_BYTES + MAX_ENTRIES as u64 * 1024;
/// Largest size of all files of the packages within a chart together, in bytes. Helm measures each alone, and packages
/// in packages would grow without end.
const MAX_INNER_BYTES: u64 = 256 * 1024 * 1024;

/// What the packages within a chart may still unpack to.
pub(crate) struct Budget(u64);

impl Budget {
    pub(crate) fn new() -> Self {
        Self(MAX_INNER_BYTES)
    }

    /// Unpacks a package within a chart.
    pub(crate) fn unpack(&mut self, package: &[u8]) -> Result<Vec<File>, ChartError> {
        let files = unpack(package)?;
        let size: u64 = files.iter().map(|file| file.data.len() as u64).sum();
        self.0 = self.0.checked_sub(size).ok_or_else(|| {
            ChartError::Package(format!(
                "the packages within the chart are larger than the maximum size {MAX_INNER_BYTES} when decompressed"
            ))
        })?;
        Ok(files)
    }
}

/// Ends with an error where [`Read::take`] would end as if all were there.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            let limit = MAX_ARCHIVE_BYTES;
            io::Error::other(format!("{TOO_MANY_BYTES} {limit}"))
        })?;
        Ok(read)
    }
}

const TOO_MANY_BYTES: &str = "decompressed chart archive is larger than the maximum size";

/// What Go says of bytes that are not compressed.
pub(crate) const NO_GZIP: &str = "gzip: invalid header";

/// What Go says of compressed bytes that end too early.
const CUT_OFF: &str = "unexpected EOF";

/// What compressed files begin with: two bytes that say so, and the only way of compressing there is.
pub(crate) const GZIP: &[u8] = &[0x1f, 0x8b, 0x08];

/// The least that a compressed file has before its content.
const GZIP_HEADER_BYTES: usize = 10;

/// Unpacks a package: the first path element is stripped, folders are skipped.
///
/// # Errors
/// When it is no gzipped tar archive, too large, or names a path outside the chart.
pub(crate) fn unpack(package: &[u8]) -> Result<Vec<File>, ChartError> {
    if package.len() < GZIP_HEADER_BYTES {
        let text = if package.is_empty() { "EOF" } else { CUT_OFF };
        return Err(ChartError::Package(text.to_owned()));
    }
    if !package.starts_with(GZIP) {
        return Err(ChartError::Package(NO_GZIP.to_owned()));
    }
    let mut archive = tar::Archive::new(Bounded {
        inner: MultiGzDecoder::new(package),
        left: MAX_ARCHIVE_BYTES,
    });
    let entries = archive.entries().map_err(|e| broken(&e))?;
    let mut files = Vec::new();
    let mut left = MAX_CHART_BYTES;
    for (count, entry) in entries.enumerate() {
        let mut entry = entry.map_err(|e| broken(&e))?;
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
        let read = read.map_err(|e| broken(&e))? as u64;
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

/// In Go's words where a package is cut off or no archive.
fn broken(error: &io::Error) -> ChartError {
    let text = error.to_string();
    // The reader of archives tells its own findings by nothing but their texts.
    let is_limit = text.starts_with(TOO_MANY_BYTES);
    ChartError::Package(match error.kind() {
        io::ErrorKind::UnexpectedEof => CUT_OFF.to_owned(),
        io::ErrorKind::Other if text == "failed to read entire block" => CUT_OFF.to_owned(),
        io::ErrorKind::Other if !is_limit => "archive/tar: invalid tar header".to_owned(),
        _ => text,
    })
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

    /// One entry of this type whose content is all zeros, as small as it can be packed.
    fn zeros(kind: tar::EntryType, size: u64) -> Vec<u8> {
        let mut header = tar::Header::new_gnu();
        header.set_path("web/zeros").unwrap();
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_cksum();
        let mut gz = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(header.as_bytes()).unwrap();
        io::copy(&mut io::repeat(0).take(size), &mut gz).unwrap();
        gz.finish().unwrap()
    }

    /// Given what is no file and so counts for none: a name, a folder, an extended header, each of 200 MiB.
    #[test]
    fn a_bomb_that_is_no_file_is_given_up() {
        for kind in [
            tar::EntryType::GNULongName,
            tar::EntryType::Directory,
            tar::EntryType::XHeader,
        ] {
            let bomb = zeros(kind, 200 * 1024 * 1024);
            assert!(bomb.len() < 2 * 1024 * 1024, "{} bytes", bomb.len());

            let refusal = unpack(&bomb).unwrap_err().to_string();

            assert!(
                refusal.contains("larger than the maximum size"),
                "{kind:?}: {refusal}"
            );
        }
    }

    #[test]
    fn packages_in_a_package_have_one_limit_together() {
        let most = vec![0; MAX_FILE_BYTES as usize];
        let names: Vec<String> = (0..19).map(|n| format!("web/{n}")).collect();
        let entries: Vec<(&str, &[u8])> = names
            .iter()
            .map(|n| (n.as_str(), most.as_slice()))
            .collect();
        let inner = package(&entries);
        let mut budget = Budget::new();
        assert!(budget.unpack(&inner).is_ok());
        assert!(budget.unpack(&inner).is_ok());

        let refusal = budget.unpack(&inner).unwrap_err().to_string();

        assert!(refusal.contains("packages within the chart"), "{refusal}");
    }

    #[test]
    fn an_archive_of_very_many_entries_is_given_up() {
        let one = package(&[("web/a", b"")]);
        let mut tar = Vec::new();
        MultiGzDecoder::new(one.as_slice())
            .read_to_end(&mut tar)
            .unwrap();
        let mut gz = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        for _ in 0..=MAX_ENTRIES {
            gz.write_all(&tar[..512]).unwrap();
        }

        let refusal = unpack(&gz.finish().unwrap()).unwrap_err().to_string();

        assert!(refusal.contains("more than 50000 entries"), "{refusal}");
    }

    #[test]
    fn links_and_what_is_no_archive_are_refused() {
        for kind in [tar::EntryType::Symlink, tar::EntryType::Link] {
            let mut tar = tar::Builder::new(Vec::new());
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_size(0);
            tar.append_link(&mut header, "web/link", "/etc/passwd")
                .unwrap();
            let mut gz = GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gz.write_all(&tar.into_inner().unwrap()).unwrap();
            let refusal = unpack(&gz.finish().unwrap()).unwrap_err().to_string();
            assert!(refusal.contains("contains a link"), "{refusal}");
        }
        assert!(
            unpack(b"apiVersion: v2")
                .unwrap_err()
                .to_string()
                .contains("gzip: invalid header")
        );
        assert!(unpack(&[0x1f, 0x8b, 8, 0]).is_err());
    }
}
