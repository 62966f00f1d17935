//! What cannot be wrong, so that it need not be decoded where nobody wants it.

use super::compose::{Kind, NodeId, Tree};

/// Digits that fit any integer.
const SAFE_DIGITS: usize = 18;

/// Whether decoding the node could neither fail nor find anything that JSON lacks. A no means that it has to be tried.
pub(super) fn is_harmless(tree: &Tree<'_>, id: NodeId) -> bool {
    // Aliases are counted, and lead anywhere.
    !tree.aliased && check(tree, id)
}

fn check(tree: &Tree<'_>, id: NodeId) -> bool {
    match &tree.nodes[id].kind {
        Kind::Scalar {
            text,
            tag,
            implicit,
        } => tag.is_none() && (!implicit || is_harmless_value(text)),
        Kind::Alias { .. } => false,
        Kind::Seq { first } => children(tree, *first).all(|child| check(tree, child)),
        Kind::Map { first } => children(tree, *first)
            .enumerate()
            .all(|(index, child)| match &tree.nodes[child].kind {
                Kind::Scalar {
                    text,
                    tag,
                    implicit,
                } if index % 2 == 0 => tag.is_none() && (!implicit || is_harmless_key(text)),
                _ if index % 2 == 0 => false,
                _ => check(tree, child),
            }),
    }
}

fn children<'t>(tree: &'t Tree<'_>, first: Option<NodeId>) -> impl Iterator<Item = NodeId> + 't {
    std::iter::successors(first, |child| tree.nodes[*child].next)
}

/// Nearly all plain text: no float, which may be infinite or no number.
fn is_harmless_value(text: &str) -> bool {
    match text.as_bytes().first() {
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => is_number(text),
        _ => true,
    }
}

/// Nearly all plain keys: neither null, nor a merge, nor an integer beyond `int64`.
fn is_harmless_key(text: &str) -> bool {
    match text.as_bytes().first() {
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => is_number(text),
        Some(b'n' | b'N') => !text.eq_ignore_ascii_case("null"),
        None | Some(b'~' | b'<') => false,
        Some(_) => true,
    }
}

fn is_number(text: &str) -> bool {
    text.len() <= SAFE_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit())
}
