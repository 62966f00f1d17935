//! URLs as dictionaries of their parts.

mod escape;
mod parse;

use super::args::map;
use crate::call::{
    Caller, Function, Library,
    Param::{Map as Dict, String as Str},
};
use crate::error::FuncError;
use crate::value::{Map, Value};
use parse::Url;

/// Sprig's functions over URLs.
pub(super) const LIBRARY: Library = Library {
    name: "url",
    functions: &[
        Function::new("urlParse", &[Str], url_parse),
        Function::new("urlJoin", &[Dict], url_join),
    ],
};

fn url_parse(_: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    let url = Url::parse(super::args::bytes(args, 0))
        .map_err(|error| FuncError::new(format!("unable to parse url: {error}")))?;
    let userinfo = url.userinfo();
    let hostname = url.hostname().to_vec();
    Ok(Value::map([
        ("scheme", Value::str(url.scheme)),
        ("host", Value::str(url.host)),
        ("hostname", Value::str(hostname)),
        ("path", Value::str(url.path)),
        ("query", Value::str(url.query)),
        ("opaque", Value::str(url.opaque)),
        ("fragment", Value::str(url.fragment)),
        ("userinfo", Value::str(userinfo)),
    ]))
}

fn url_join(_: &mut dyn Caller, args: &[Value]) -> Result<Value, FuncError> {
    let parts = map(args, 0);
    let mut url = Url {
        scheme: part(&parts, "scheme")?,
        host: part(&parts, "host")?,
        path: part(&parts, "path")?,
        query: part(&parts, "query")?,
        opaque: part(&parts, "opaque")?,
        fragment: part(&parts, "fragment")?,
        ..Url::default()
    };
    let userinfo = part(&parts, "userinfo")?;
    if !userinfo.is_empty() {
        let carrier = [b"proto://", &userinfo[..], b"@host"].concat();
        let parsed = Url::parse(&carrier).map_err(|error| {
            FuncError::new(format!("unable to parse userinfo in dict: {error}"))
        })?;
        url.user = parsed.user;
    }
    Ok(url.print().into())
}

fn part(parts: &Map, key: &str) -> Result<Vec<u8>, FuncError> {
    match parts.get(key.as_bytes()) {
        None => Ok(Vec::new()),
        Some(Value::Str(text)) => Ok(text.to_vec()),
        Some(Value::Nil) => Err(super::args::NIL_DEREFERENCE.into()),
        Some(other) => {
            let kind = other.kind().name();
            Err(FuncError::new(format!(
                "unable to parse {key} key, must be of type string, but {kind} found"
            )))
        }
    }
}

#[cfg(test)]
mod tests;
