//! Base64, base32 and checksums.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

use super::args::{bytes, reserve};
use crate::call::{Function, Library, Param::String as Str};

/// Sprig's groups "encoding" and the checksums among its strings.
pub(super) const LIBRARY: Library = Library {
    name: "encoding",
    functions: &[
        Function::new("b64enc", &[Str], |caller, a| {
            reserve(caller, bytes(a, 0).len(), 2)?;
            Ok(STANDARD.encode(bytes(a, 0)).into())
        }),
        Function::new("b64dec", &[Str], |_, a| {
            Ok(decode_base64(bytes(a, 0))
                .unwrap_or_else(String::into_bytes)
                .into())
        }),
        Function::new("b32enc", &[Str], |caller, a| {
            reserve(caller, bytes(a, 0).len(), 2)?;
            Ok(base32(bytes(a, 0)).into())
        }),
        Function::new("b32dec", &[Str], |_, a| {
            Ok(decode_base32(bytes(a, 0))
                .unwrap_or_else(String::into_bytes)
                .into())
        }),
        Function::new("sha1sum", &[Str], |_, a| {
            Ok(hex(&Sha1::digest(bytes(a, 0))).into())
        }),
        Function::new("sha256sum", &[Str], |_, a| {
            Ok(hex(&Sha256::digest(bytes(a, 0))).into())
        }),
        Function::new("sha512sum", &[Str], |_, a| {
            Ok(hex(&Sha512::digest(bytes(a, 0))).into())
        }),
        Function::new("adler32sum", &[Str], |_, a| {
            Ok(adler32(bytes(a, 0)).to_string().into())
        }),
    ],
};

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Go does not mind bits set behind the end of the data.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Small hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}

/// Line breaks are skipped. The error is Go's text, which `b64dec` gives as its result.
pub(super) fn decode_base64(text: &[u8]) -> Result<Vec<u8>, String> {
    let positions: Vec<usize> = (0..text.len())
        .filter(|&at| !b"\r\n".contains(&text[at]))
        .collect();
    let clean: Vec<u8> = positions.iter().map(|&at| text[at]).collect();
    LENIENT.decode(&clean).map_err(|_| {
        let place = |index: usize| positions.get(index).copied().unwrap_or(text.len());
        let at = match base64_fault(&clean) {
            Fault::At(index) => place(index),
            Fault::Before(index) => place(index) - 1,
            Fault::Short(digits) => text.len() - digits,
        };
        format!("illegal base64 data at input byte {at}")
    })
}

/// Where Go gives up, counted without line breaks.
enum Fault {
    At(usize),
    /// One byte, line breaks counted, before that place.
    Before(usize),
    /// So many digits, line breaks not counted, before the end: the last group has too few.
    Short(usize),
}

fn base64_fault(clean: &[u8]) -> Fault {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    let digits = clean.iter().take_while(|byte| is_digit(byte)).count();
    let in_quantum = digits % 4;
    Fault::At(match (in_quantum, &clean[digits..]) {
        (_, []) => return Fault::Short(in_quantum),
        (2, [b'=', b'=', ..]) => digits + 2,
        (2, [b'=', _, ..]) => return Fault::Before(digits + 1),
        (2 | 3, [b'=', ..]) => digits + 1,
        _ => digits,
    })
}

fn base32(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for group in bytes.chunks(5) {
        let bits = group
            .iter()
            .fold(0u64, |all, &byte| all << 8 | u64::from(byte));
        let bits = bits << (8 * (5 - group.len()));
        let digits = (group.len() * 8).div_ceil(5);
        for i in 0..8 {
            let digit = BASE32[(bits >> (35 - 5 * i)) as usize & 31];
            out.push(if i < digits { char::from(digit) } else { '=' });
        }
    }
    out
}

/// Errors count bytes without line breaks, unlike those of base64.
fn decode_base32(text: &[u8]) -> Result<Vec<u8>, String> {
    let clean: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| !b"\r\n".contains(byte))
        .collect();
    let fail = |at: usize| Err(format!("illegal base32 data at input byte {at}"));
    let mut out = Vec::with_capacity(clean.len() / 8 * 5);
    for (index, group) in clean.chunks(8).enumerate() {
        let start = index * 8;
        let digits = group.iter().take_while(|&&byte| byte != b'=').count();
        let mut bits = 0u64;
        for (at, byte) in group[..digits].iter().enumerate() {
            let Some(digit) = BASE32.iter().position(|known| known == byte) else {
                return fail(start + at);
            };
            bits = bits << 5 | digit as u64;
        }
        let padded = digits < group.len();
        if group.len() < 8 {
            return fail(if padded && digits >= 2 {
                clean.len()
            } else {
                start + if padded { digits } else { 0 }
            });
        }
        if padded {
            // Padding in the middle of the text is a wrong digit.
            if clean.len() - (start + digits + 1) >= 8 {
                return fail(start + digits);
            }
            if digits >= 2
                && let Some(at) = group[digits..].iter().position(|&byte| byte != b'=')
            {
                return fail(start + digits + at - 1);
            }
            if !matches!(digits, 2 | 4 | 5 | 7) {
                return fail(start + digits);
            }
        }
        bits <<= 5 * (8 - digits);
        out.extend_from_slice(&bits.to_be_bytes()[3..3 + digits * 5 / 8]);
        if padded {
            break;
        }
    }
    Ok(out)
}

fn adler32(bytes: &[u8]) -> u32 {
    const PRIME: u32 = 65_521;
    let (low, high) = bytes.iter().fold((1, 0), |(low, high), &byte| {
        let low = (low + u32::from(byte)) % PRIME;
        (low, (high + low) % PRIME)
    });
    high << 16 | low
}

#[cfg(test)]
mod tests;
