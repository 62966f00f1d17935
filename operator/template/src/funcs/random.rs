//! Random numbers, strings and identifiers, all from the host's source.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::args::{bytes, count, int, reserve};
use super::strings::runes::runes;
use crate::call::{
    Caller, Function, Host, Library,
    Param::{Int, String as Str},
};
use crate::error::FuncError;
use crate::value::Value;

/// Sprig's random functions.
pub(super) const LIBRARY: Library = Library {
    name: "random",
    functions: &[
        Function::new("randAlphaNum", &[Int], |caller, a| {
            string(caller, a, |byte| byte.is_ascii_alphanumeric())
        }),
        Function::new("randAlpha", &[Int], |caller, a| {
            string(caller, a, |byte| byte.is_ascii_alphabetic())
        }),
        Function::new("randAscii", &[Int], |caller, a| {
            string(caller, a, |byte| (b' '..=b'~').contains(&byte))
        }),
        Function::new("randNumeric", &[Int], |caller, a| {
            string(caller, a, |byte| byte.is_ascii_digit())
        }),
        Function::new("randBytes", &[Int], rand_bytes),
        Function::new("shuffle", &[Str], |caller, a| {
            let mut all: Vec<char> = runes(bytes(a, 0)).collect();
            for i in (1..all.len()).rev() {
                let j = below(caller.host(), i as u64 + 1) as usize;
                all.swap(i, j);
            }
            Ok(all.into_iter().collect::<String>().into())
        }),
        Function::new("uuidv4", &[], |caller, _| Ok(uuid(caller.host()).into())),
    ],
};

/// A number from 0 to `limit - 1`, each as likely as the others. `limit` must not be 0.
pub(super) fn below(host: &mut dyn Host, limit: u64) -> u64 {
    let fair = u64::MAX - u64::MAX % limit;
    loop {
        let mut drawn = [0; 8];
        host.random(&mut drawn);
        let drawn = u64::from_le_bytes(drawn);
        if drawn < fair {
            return drawn % limit;
        }
    }
}

/// Characters drawn from those that are `wanted`; nothing when the length is negative.
fn string(
    caller: &mut dyn Caller,
    args: &[Value],
    wanted: fn(u8) -> bool,
) -> Result<Value, FuncError> {
    let len = count(args, 0);
    reserve(caller, len, 1)?;
    let set: Vec<u8> = (0..=u8::MAX).filter(|&byte| wanted(byte)).collect();
    let host = caller.host();
    let drawn = (0..len).map(|_| set[below(host, set.len() as u64) as usize]);
    Ok(drawn.collect::<Vec<u8>>().into())
}

fn rand_bytes(caller: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    if int(args, 0) < 0 {
        return Err("runtime error: makeslice: len out of range".into());
    }
    let len = count(args, 0);
    reserve(caller, len, 2)?;
    let mut buffer = vec![0; len];
    caller.host().random(&mut buffer);
    Ok(STANDARD.encode(buffer).into())
}

fn uuid(host: &mut dyn Host) -> String {
    let mut id = [0; 16];
    host.random(&mut id);
    id[6] = id[6] & 0x0f | 0x40;
    id[8] = id[8] & 0x3f | 0x80;
    let hex = super::encoding::hex(&id);
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}
