//! Keys, certificates, passwords and encryption.

mod certificate;
mod key;
mod password;

use aes::Aes256;
use aes::cipher::{
    BlockDecrypt as _, BlockEncrypt as _, KeyInit as _, generic_array::GenericArray,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::args::{at, bytes, int, text};
use super::encoding::decode_base64;
use crate::call::{
    Caller, Function, Library,
    Param::{Int, List, Object as Obj, String as Str, Uint32},
};
use crate::error::FuncError;
use crate::value::Value;
use certificate::{Certificate, Request};
use key::{HostRng, PrivateKey};

const CERTIFICATE: &str = "sprig.certificate";
const BLOCK: usize = 16;
const CA_BITS: usize = 2048;

/// Sprig's group "crypto".
pub(super) const LIBRARY: Library = Library {
    name: "crypto",
    functions: &[
        Function::new("bcrypt", &[Str], |c, a| {
            Ok(password::bcrypt(c.host(), bytes(a, 0)).into())
        }),
        Function::new("htpasswd", &[Str, Str], |c, a| {
            let user = text(a, 0);
            if user.contains(':') {
                return Ok(format!("invalid username: {user}").into());
            }
            Ok(format!("{user}:{}", password::bcrypt(c.host(), bytes(a, 1))).into())
        }),
        Function::new("derivePassword", &[Uint32, Str, Str, Str, Str], |_, a| {
            let counter = int(a, 0) as u32;
            Ok(
                password::derive(counter, &text(a, 1), bytes(a, 2), bytes(a, 3), bytes(a, 4))
                    .into(),
            )
        }),
        Function::new("genPrivateKey", &[Str], |c, a| {
            Ok(key::generate_pem(c.host(), &text(a, 0)).into())
        }),
        Function::new("buildCustomCert", &[Str, Str], build_custom_cert),
        Function::new("genCA", &[Str, Int], |c, a| {
            let key = new_key(c)?;
            sign(c, a, &Kind::Authority, &key)
        }),
        Function::new("genCAWithKey", &[Str, Int, Str], |c, a| {
            let key = given_key(a, 2)?;
            sign(c, a, &Kind::Authority, &key)
        }),
        Function::new("genSelfSignedCert", &[Str, List, List, Int], |c, a| {
            let key = new_key(c)?;
            sign(c, a, &Kind::SelfSigned, &key)
        }),
        Function::new(
            "genSelfSignedCertWithKey",
            &[Str, List, List, Int, Str],
            |c, a| {
                let key = given_key(a, 4)?;
                sign(c, a, &Kind::SelfSigned, &key)
            },
        ),
        Function::new(
            "genSignedCert",
            &[Str, List, List, Int, Obj(CERTIFICATE)],
            |c, a| {
                let key = new_key(c)?;
                sign(c, a, &Kind::Signed(authority(at(a, 4))), &key)
            },
        ),
        Function::new(
            "genSignedCertWithKey",
            &[Str, List, List, Int, Obj(CERTIFICATE), Str],
            |c, a| {
                let key = given_key(a, 5)?;
                sign(c, a, &Kind::Signed(authority(at(a, 4))), &key)
            },
        ),
        Function::new("encryptAES", &[Str, Str], |c, a| Ok(encrypt_aes(c, a))),
        Function::new("decryptAES", &[Str, Str], decrypt_aes),
    ],
};

enum Kind {
    Authority,
    SelfSigned,
    Signed(Certificate),
}

fn authority(value: &Value) -> Certificate {
    value.downcast::<Certificate>().cloned().unwrap_or_default()
}

fn new_key(caller: &mut dyn Caller) -> Result<PrivateKey, FuncError> {
    PrivateKey::rsa(&mut HostRng(caller.host()), CA_BITS)
        .map_err(|error| FuncError::new(format!("error generating rsa key: {error}")))
}

fn given_key(args: &[Value], index: usize) -> Result<PrivateKey, FuncError> {
    PrivateKey::from_pem(bytes(args, index))
        .map_err(|error| FuncError::new(format!("parsing private key: {error}")))
}

fn sign(
    caller: &mut dyn Caller,
    args: &[Value],
    kind: &Kind,
    key: &PrivateKey,
) -> Result<Value, FuncError> {
    let signer = match kind {
        Kind::Signed(authority) => Some(authority.signer()?),
        Kind::Authority | Kind::SelfSigned => None,
    };
    let is_authority = matches!(kind, Kind::Authority);
    let (addresses, names, days) = if is_authority {
        (Vec::new(), Vec::new(), int(args, 1))
    } else {
        let names = certificate::dns_names(&super::args::list(args, 2));
        (
            certificate::addresses(&super::args::list(args, 1))?,
            names?,
            int(args, 3),
        )
    };
    let host = caller.host();
    let now = host.now().as_second();
    let request = Request {
        common_name: text(args, 0).into_owned(),
        addresses,
        names,
        not_before: now,
        not_after: now.saturating_add(days.wrapping_mul(24 * 3600)),
        is_authority,
    };
    Ok(Value::object(request.sign(host, key, signer.as_ref())?))
}

fn build_custom_cert(_: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    let decoded = |at: usize, what: &str| {
        decode_base64(bytes(args, at))
            .map_err(|_| FuncError::new(format!("unable to decode base64 {what}")))
    };
    let cert = decoded(0, "certificate")?;
    let key = decoded(1, "private key")?;
    certificate::parse(&cert)?;
    PrivateKey::from_pem(&key)
        .map_err(|error| FuncError::new(format!("error parsing private key: {error}")))?;
    Ok(Value::object(Certificate { cert, key }))
}

/// The password's first 32 bytes, filled up with zeros.
fn cipher(password: &[u8]) -> Aes256 {
    let mut key = [0; 32];
    let len = password.len().min(key.len());
    key[..len].copy_from_slice(&password[..len]);
    Aes256::new(&GenericArray::from(key))
}

fn block(bytes: &[u8]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block[..bytes.len()].copy_from_slice(bytes);
    block
}

fn xor(mut a: [u8; BLOCK], b: &[u8; BLOCK]) -> [u8; BLOCK] {
    a.iter_mut().zip(b).for_each(|(a, b)| *a ^= b);
    a
}

/// AES-256 in CBC mode, the vector in front, PKCS#7 padding, all in base64.
fn encrypt_aes(caller: &mut dyn Caller, args: &[Value]) -> Value {
    let mut plain = bytes(args, 1).to_vec();
    if plain.is_empty() {
        return "".into();
    }
    let padding = BLOCK - plain.len() % BLOCK;
    plain.resize(plain.len() + padding, padding as u8);
    let cipher = cipher(bytes(args, 0));
    let mut previous = [0; BLOCK];
    caller.host().random(&mut previous);
    let mut out = previous.to_vec();
    for chunk in plain.chunks(BLOCK) {
        let mut encrypted = GenericArray::from(xor(block(chunk), &previous));
        cipher.encrypt_block(&mut encrypted);
        previous = encrypted.into();
        out.extend_from_slice(&previous);
    }
    STANDARD.encode(out).into()
}

fn decrypt_aes(_: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    if bytes(args, 1).is_empty() {
        return Ok("".into());
    }
    let encrypted = decode_base64(bytes(args, 1)).map_err(FuncError::new)?;
    let Some((vector, body)) = encrypted.split_at_checked(BLOCK) else {
        // Go names the room that it made for the text, not what came out of it.
        let len = bytes(args, 1).len() / 4 * 3;
        return Err(FuncError::new(format!(
            "runtime error: slice bounds out of range [:{BLOCK}] with capacity {len}"
        )));
    };
    if body.len() % BLOCK != 0 {
        return Err("crypto/cipher: input not full blocks".into());
    }
    let cipher = cipher(bytes(args, 0));
    let mut previous = block(vector);
    let mut out = Vec::with_capacity(body.len());
    for chunk in body.chunks(BLOCK) {
        let mut decrypted = GenericArray::from(block(chunk));
        cipher.decrypt_block(&mut decrypted);
        out.extend_from_slice(&xor(decrypted.into(), &previous));
        previous = block(chunk);
    }
    // The last byte says how much is padding; with a wrong password it says anything.
    let Some(&padding) = out.last() else {
        return Err("runtime error: index out of range [-1]".into());
    };
    let Some(len) = out.len().checked_sub(usize::from(padding)) else {
        let end = out.len() as i64 - i64::from(padding);
        return Err(FuncError::new(format!(
            "runtime error: slice bounds out of range [:{end}]"
        )));
    };
    out.truncate(len);
    Ok(out.into())
}

#[cfg(test)]
mod tests;
