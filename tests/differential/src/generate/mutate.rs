//! A few characters changed.

use super::chance::Chance;

/// The text with one to three places changed: dropped, doubled, swapped, or one of the pieces put in.
pub(super) fn mutate(chance: &mut Chance, text: &str, pieces: &[&str]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..=chance.below(3) {
        let at = chance.below(characters.len());
        let most = if chance.likely(70) { 1 } else { 6 };
        let length = 1 + chance.below(most);
        let end = (at + length).min(characters.len());
        match chance.below(5) {
            0 => drop(characters.drain(at..end)),
            1 => {
                let again: Vec<char> = characters[at..end].to_vec();
                characters.splice(at..at, again);
            }
            2 => {
                let piece = chance.one(pieces).chars();
                characters.splice(at..end, piece);
            }
            3 if end > at + 1 => characters.swap(at, end - 1),
            _ => {
                let piece = chance.one(pieces).chars();
                characters.splice(at..at, piece);
            }
        }
    }
    characters.into_iter().collect()
}
