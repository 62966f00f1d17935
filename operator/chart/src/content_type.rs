//! What a file that is no package seems to be: its type as Go's `http.DetectContentType` names it, which Helm prints.

/// How many bytes are looked at. Of a shorter file the rest counts as zeros, as Helm hands over its whole buffer.
const LOOKED_AT: usize = 512;

const BINARY: &str = "application/octet-stream";

/// What text begins with that is markup.
const TAGS: [&[u8]; 17] = [
    b"<!DOCTYPE HTML",
    b"<HTML",
    b"<HEAD",
    b"<SCRIPT",
    b"<IFRAME",
    b"<H1",
    b"<DIV",
    b"<FONT",
    b"<TABLE",
    b"<A",
    b"<STYLE",
    b"<TITLE",
    b"<B",
    b"<BODY",
    b"<BR",
    b"<P",
    b"<!--",
];

/// What files of some kinds begin with.
const SIGNATURES: [(&[u8], &str); 16] = [
    (b"%PDF-", "application/pdf"),
    (b"%!PS-Adobe-", "application/postscript"),
    (b"\xfe\xff", "text/plain; charset=utf-16be"),
    (b"\xff\xfe", "text/plain; charset=utf-16le"),
    (b"\xef\xbb\xbf", "text/plain; charset=utf-8"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
    (b"BM", "image/bmp"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"OggS\x00", "application/ogg"),
    (b"\x1f\x8b\x08", "application/x-gzip"),
    (b"PK\x03\x04", "application/zip"),
    (b"Rar!\x1a\x07", "application/x-rar-compressed"),
    (b"\x00asm", "application/wasm"),
];

/// The type of a file with this content; sounds, films and fonts are told as bytes.
pub(crate) fn of(content: &[u8]) -> &'static str {
    let head = &content[..content.len().min(LOOKED_AT)];
    let blank = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ');
    let from = head.iter().position(|byte| !blank(byte)).unwrap_or(0);
    let text = &head[from..];
    if TAGS.iter().any(|tag| is_tag(text, tag)) {
        return "text/html; charset=utf-8";
    }
    if text.starts_with(b"<?xml") {
        return "text/xml; charset=utf-8";
    }
    let signed = SIGNATURES
        .iter()
        .find(|(signature, _)| head.starts_with(signature));
    if let Some((_, name)) = signed {
        return name;
    }
    let control = |byte: &u8| matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    if head.len() < LOOKED_AT || head.iter().any(control) {
        BINARY
    } else {
        "text/plain; charset=utf-8"
    }
}

/// Whether the text begins with the tag in letters of either case, and the tag ends there.
fn is_tag(text: &[u8], tag: &[u8]) -> bool {
    let (Some(begin), Some(next)) = (text.get(..tag.len()), text.get(tag.len())) else {
        return false;
    };
    begin.eq_ignore_ascii_case(tag) && matches!(next, b' ' | b'>')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_text_is_bytes_as_helm_looks_at_its_whole_buffer() {
        assert_eq!(of(b"kind: Pod\n"), BINARY);
        assert_eq!(of(&[b'a'; LOOKED_AT]), "text/plain; charset=utf-8");
        assert_eq!(of(b""), BINARY);
    }

    #[test]
    fn signatures_and_tags_are_known() {
        assert_eq!(of(b" \n<html>"), "text/html; charset=utf-8");
        assert_eq!(of(b"<htmlx>"), BINARY);
        assert_eq!(of(b"PK\x03\x04"), "application/zip");
    }
}
